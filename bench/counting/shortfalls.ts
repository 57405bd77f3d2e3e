/** What is known of one Okapi since its start. */
export type Counts = {
  /** Answered, by the word of the load generator. */
  sent: number;
  /** Runs of the load generator times its connections: as many may be under way when it stops. */
  mayBeAbandoned: number;
  /** By `app_requests_total`. */
  requests: number;
  abandoned: number;
  notOk: number;
  /** Different server spans that the receiver got; `undefined` when there are to be none. */
  spans: number | undefined;
  /** Access lines in the files; `undefined` when there are to be none. */
  lines: number | undefined;
};

/** Whether everything has come out that went in. */
export function isComplete({ sent, requests, spans, lines }: Counts): boolean {
  return requests >= sent && (spans ?? requests) >= requests && (lines ?? requests) >= requests;
}

/** What is missing, or was answered otherwise than with 2xx: a line each. */
export function shortfalls(counts: Counts): string[] {
  const { sent, requests, spans, lines, abandoned, mayBeAbandoned, notOk } = counts;
  const problems: string[] = [];
  const less = (name: string, count: number | undefined, than: number, of: string) => {
    if (count !== undefined && count < than) {
      problems.push(`${than - count} ${name} are missing: ${count} of ${than} ${of}`);
    }
  };
  less('counted requests', requests, sent, 'answers that the load got');
  less('spans', spans, requests, 'counted requests');
  less('access lines', lines, requests, 'counted requests');
  if (notOk > 0) problems.push(`${notOk} requests were answered otherwise than with 2xx`);
  if (abandoned > mayBeAbandoned) problems.push(`${abandoned} requests were given up by the client`);
  return problems;
}
