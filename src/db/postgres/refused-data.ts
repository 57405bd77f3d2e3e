/**
 * Cardinality violations, data exceptions, violated constraints, and values beyond what PostgreSQL can hold (its manual,
 * appendix A): whatever lies in what was sent and not in how the server is.
 */
const SQLSTATES = /^(21|22|23|54)/;

/** Whether an error says that PostgreSQL refuses a statement for its values, and will refuse it again. */
export function isRefusedData(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return error instanceof Error && typeof code === 'string' && SQLSTATES.test(code);
}
