type Pending = { resolve(result: unknown): void; reject(error: Error): void };
type Message = { id?: number; result?: unknown; error?: { message: string } };

/** A session of the Chrome DevTools protocol with a Node process that was started with `--inspect`. */
export type Inspector = { send<T>(method: string, params?: object): Promise<T>; close(): void };

const ADDRESS = /Debugger listening on (ws:\/\/\S+)/;

/** Connects to the inspector whose address stands in what the process has written. */
export async function connectInspector(output: string): Promise<Inspector> {
  const address = ADDRESS.exec(output)?.[1];
  if (address === undefined) throw new Error('The process has no inspector');
  const socket = new WebSocket(address);
  const pending = new Map<number, Pending>();
  let lastId = 0;
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true });
    socket.addEventListener('error', () => reject(new Error('The inspector cannot be reached')), { once: true });
  });
  socket.addEventListener('message', ({ data }) => {
    const { id = 0, result, error } = JSON.parse(String(data)) as Message;
    const waiting = pending.get(id);
    pending.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error.message));
  });
  socket.addEventListener('close', () => {
    for (const { reject } of pending.values()) reject(new Error('The inspector has closed'));
  });
  return {
    send<T>(method: string, params: object = {}): Promise<T> {
      const id = ++lastId;
      const answer = new Promise<unknown>((resolve, reject) => pending.set(id, { resolve, reject }));
      socket.send(JSON.stringify({ id, method, params }));
      return answer as Promise<T>;
    },
    close: () => socket.close(),
  };
}
