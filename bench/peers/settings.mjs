/** Where a peer listens, said by the benchmark. */
export const host = '127.0.0.1';
export const port = Number(process.env.PORT);
