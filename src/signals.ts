const REPEAT_WITHIN_MS = 1000;

/**
 * Calls `stop` at the first SIGTERM or SIGINT. One that follows within a second is the same wish (a terminal's Ctrl-C
 * reaches the service directly and once more through npm); a later one exits at once.
 */
export function onStopSignal(stop: (signal: NodeJS.Signals) => Promise<void>): void {
  let firstAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      void stop(signal);
    } else if (performance.now() - firstAt > REPEAT_WITHIN_MS) {
      process.exit(1);
    }
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
