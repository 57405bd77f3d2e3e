/** One `$ command` of a document and what it says that the command prints. */
export type Step = { command: string; output: string; line: number };

/**
 * The steps of all ```` ```console ```` blocks of a Markdown text, in their order. A line that begins with `$ ` is a
 * command; one that ends in a backslash goes on in the next line; what follows up to the next command is its output.
 */
export function readConsoleBlocks(markdown: string): Step[] {
  const steps: Step[] = [];
  let isInside = false;
  let isContinued = false;
  for (const [index, line] of markdown.split('\n').entries()) {
    const step = steps.at(-1);
    if (/^```/.test(line)) {
      isInside = !isInside && line.trim() === '```console';
      isContinued = false;
    } else if (!isInside) {
      // Prose, or a block of another kind.
    } else if (isContinued && step !== undefined) {
      step.command += `\n${line}`;
      isContinued = line.endsWith('\\');
    } else if (line.startsWith('$ ')) {
      steps.push({ command: line.slice(2), output: '', line: index + 1 });
      isContinued = line.endsWith('\\');
    } else if (step !== undefined) {
      step.output += `${line}\n`;
    }
  }
  return steps.map((step) => ({ ...step, output: step.output.trimEnd() }));
}

/**
 * What differs from run to run, and what stands for it in the comparison. Both sides are normalised, so a document shows
 * real output. Counters are compared as they are: after a fresh start they are known.
 */
const VARYING: readonly [RegExp, string][] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uuid>'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<time>'],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<token>'],
  [/\b[0-9a-f]{32}\b/g, '<trace id>'],
  [/\b[0-9a-f]{16}\b/g, '<span id>'],
  [/("\w+_ms": ?)[\d.]+/g, '$1<ms>'],
  [/\b[\d.]+ ms\b/g, '<ms>'],
  [/\bcurl\/\d[\w.-]*/g, 'curl/<version>'],
  [/("app_version": ?)"\d[\w.-]*"/g, '$1"<version>"'],
  [/("(?:line|bytes)": ?)\d+/g, '$1<number>'],
  [/^(\w+_(?:sum|bucket|percentage|bytes|seconds)(?:\{.*\})?) [\d.e+-]+$/gm, '$1 <number>'],
];

/** A text in which everything that varies is replaced by its name. */
export function normalize(text: string): string {
  return VARYING.reduce((changed, [pattern, name]) => changed.replace(pattern, name), text.trimEnd());
}

/** The lines that differ, documented ones marked `-` and actual ones `+`; empty when both say the same. */
export function differences(documented: string, actual: string): string[] {
  const expected = normalize(documented).split('\n');
  const found = normalize(actual).split('\n');
  const lines: string[] = [];
  for (let index = 0; index < Math.max(expected.length, found.length); index++) {
    if (expected[index] === found[index]) continue;
    if (expected[index] !== undefined) lines.push(`- ${expected[index]}`);
    if (found[index] !== undefined) lines.push(`+ ${found[index]}`);
  }
  return lines;
}
