/** What `app_requests_total` says. */
export type RequestsTotal = {
  requests: number;
  /** Given up by the client: the last ones of a load generator that stops. */
  abandoned: number;
  /** Neither 2xx nor abandoned. */
  notOk: number;
};

const SAMPLE = /^app_requests_total\{([^}]*)\} (\S+)/gm;
const STATUS = /(?:^|,)status="(\d+)"/;
const CLIENT_CLOSED_REQUEST = 499;

/** Adds up the samples of `app_requests_total` in Prometheus' text format. */
export function parseRequestsTotal(exposition: string): RequestsTotal {
  const total = { requests: 0, abandoned: 0, notOk: 0 };
  for (const [, labels = '', value] of exposition.matchAll(SAMPLE)) {
    const status = Number(STATUS.exec(labels)?.[1]);
    total.requests += Number(value);
    if (status === CLIENT_CLOSED_REQUEST) total.abandoned += Number(value);
    else if (status < 200 || status > 299) total.notOk += Number(value);
  }
  return total;
}
