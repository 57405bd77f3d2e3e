/** What is checked, by whom, and what was seen. */
export type Check = {
  readonly name: string;
  /** Programs without which it cannot be run. */
  readonly needs: readonly string[];
  /** Resolves to what was seen; rejects with what falls short. */
  run(): Promise<string>;
};

export type Verdict = 'holds' | 'falls short' | 'not run';
export type Result = { readonly name: string; readonly verdict: Verdict; readonly detail: string };

const ORDER: readonly Verdict[] = ['holds', 'falls short', 'not run'];
const WIDEST_DETAIL = 160;

/** Runs one check, unless a program that it needs is missing. Never rejects. */
export async function judge({ name, needs, run }: Check, missing: ReadonlySet<string>): Promise<Result> {
  const absent = needs.filter((need) => missing.has(need));
  if (absent.length > 0) return { name, verdict: 'not run', detail: `without ${absent.join(', ')}` };
  try {
    return { name, verdict: 'holds', detail: await run() };
  } catch (error) {
    return { name, verdict: 'falls short', detail: error instanceof Error ? error.message : String(error) };
  }
}

/** One line of the table. */
export function lineOf({ name, verdict, detail }: Result): string {
  const text = detail.replaceAll(/\s+/g, ' ').slice(0, WIDEST_DETAIL);
  return `${verdict.padEnd(11)}  ${name}${text === '' ? '' : ` (${text})`}`;
}

/** The last line, such as `3 hold, 0 fall short, 1 not run`. */
export function summaryOf(results: readonly Result[]): string {
  const [held, short, left] = ORDER.map((verdict) => results.filter((each) => each.verdict === verdict).length);
  return `${held} hold, ${short} fall short, ${left} not run`;
}
