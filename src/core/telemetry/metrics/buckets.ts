/** Upper bounds in seconds for requests, queries, commands and the wait for a connection. */
export const LATENCY_BUCKETS = Object.freeze([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]);

/** Upper bounds in seconds for background jobs. */
export const JOB_BUCKETS = Object.freeze([0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300]);
