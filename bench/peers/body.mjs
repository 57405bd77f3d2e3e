// The answer of `GET /`: an object of the shape and, as JSON, of exactly the size (BODY_BYTES) of Okapi's.
const size = Number(process.env.BODY_BYTES ?? 240);

function bodyWith(padding) {
  return {
    data: { project: 'Peer', status: 'ok', environment: 'production' },
    meta: { timestamp: new Date().toISOString(), success: true, padding },
  };
}

const padding = 'x'.repeat(Math.max(0, size - JSON.stringify(bodyWith('')).length));

/** A new answer for each request, as an application would make it. */
export function createBody() {
  return bodyWith(padding);
}
