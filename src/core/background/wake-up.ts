/** Lets a task run before its next beat; rung by whoever knows that there is something to do. */
export class WakeUp {
  #isRung = false;
  #onRing: (() => void) | undefined;

  /** Has the task run at once; while it runs, once more after that. */
  ring(): void {
    this.#isRung = true;
    this.#onRing?.();
  }

  /** For who runs the task: what rings from now on is for the next run. */
  reset(): void {
    this.#isRung = false;
  }

  /** For who runs the task: calls `onRing` when it rings, at once if it has since `reset`. Returns what ends that. */
  listen(onRing: () => void): () => void {
    this.#onRing = onRing;
    if (this.#isRung) onRing();
    return () => {
      this.#onRing = undefined;
    };
  }
}
