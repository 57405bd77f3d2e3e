/** The four levels of a log line, lowest first. */
export type LevelName = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';

/** Levels as numbers, so that "this level and above" is one comparison. */
export const RANK: Readonly<Record<LevelName, number>> = { DEBUG: 10, INFO: 20, WARNING: 30, ERROR: 40 };
