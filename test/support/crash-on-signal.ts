/**
 * Preloaded (`node --import`) into a service that is to crash: SIGUSR2 makes it throw where nobody catches, SIGCONT
 * reject where nobody handles.
 */
process.on('SIGUSR2', () => {
  throw new Error('nobody catches this');
});
process.on('SIGCONT', () => {
  void Promise.reject(new Error('nobody handles this'));
});
