/**
 * The command that runs `command` before all else on its core, where that is allowed. The load shares its core with what
 * counts spans and lines, and must not wait for it: that wait would be taken for the server's.
 */
export function preferred(command: readonly string[]): readonly string[] {
  return process.getuid?.() === 0 ? ['nice', '-n', '-10', ...command] : command;
}
