/** Resolves when `work` does, or after `timeoutMs` without it. */
export async function within(work: Promise<void> | undefined, timeoutMs: number): Promise<void> {
  if (work === undefined) return;
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  await Promise.race([work, late]);
  clearTimeout(timer);
}
