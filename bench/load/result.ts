/** What one run of the load generator found. */
export type LoadResult = {
  /** Answered, whatever the status. */
  requests: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Answers that were not 2xx (wrk counts 3xx as good; those show in Okapi's own counter). */
  notOk: number;
  /** Connections that failed or broke. */
  socketErrors: number;
  /** Requests that took longer than the generator's patience. */
  timeouts: number;
};

export type LoadRequest = {
  url: string;
  headers: Readonly<Record<string, string>>;
  connections: number;
  seconds: number;
};
