const REPEAT_WITHIN_MS = 1000;

/** What the process was told, and when it was first told so. */
export type StopRequest = {
  /** Aborts at the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
  /** Resolves to which of the two it was. */
  readonly received: Promise<NodeJS.Signals>;
};

/**
 * Listens for SIGTERM and SIGINT, from now on. One that follows within a second is the same wish (a terminal's Ctrl-C
 * reaches the service directly and once more through npm); a later one exits at once, with 1.
 */
export function listenForStop(): StopRequest {
  const stopping = new AbortController();
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let firstAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      stopping.abort();
      resolve(signal);
    } else if (performance.now() - firstAt > REPEAT_WITHIN_MS) {
      process.exit(1);
    }
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return { signal: stopping.signal, received: promise };
}

/**
 * Listens for SIGUSR2, from now on, since it would end the process otherwise. Returns how to say what it does; when it
 * came before that was said, it is done then.
 */
export function listenForReload(): (reload: () => void) => void {
  let reload: (() => void) | undefined;
  let isWaiting = false;
  process.on('SIGUSR2', () => {
    if (reload === undefined) isWaiting = true;
    else reload();
  });
  return (wanted) => {
    reload = wanted;
    if (isWaiting) reload();
  };
}
