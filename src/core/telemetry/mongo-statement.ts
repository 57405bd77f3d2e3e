/** How much of a command's shape a span shows, in UTF-16 units. */
const TEXT_LIMIT = 2_048;

/**
 * The shape of a Mongo command for a span: its keys, with `?` for every value. What is written or replaced is one `?`:
 * the driver hands over each document a second time as bytes, which the instrumentation would spell out one by one, for a
 * large document megabytes of question marks. Throws what reading the command throws.
 */
export function mongoStatement(command: object): string {
  const seen = new WeakSet<object>();
  const text = JSON.stringify(command, function shape(this: Record<string, unknown>, key: string, value: unknown) {
    const given = key === '' ? value : this[key];
    // Dates and the like are objects that become text.
    if (typeof given !== 'object' || given === null || typeof value !== 'object') return '?';
    if (isBulk(given) || seen.has(given)) return '?';
    seen.add(given);
    return value;
  });
  return text.length <= TEXT_LIMIT ? text : `${text.slice(0, TEXT_LIMIT)}…`;
}

/** The driver's sequence of documents, and bytes of any kind. */
function isBulk(value: object): boolean {
  return 'serializedDocumentsLength' in value || ArrayBuffer.isView(value) || '_bsontype' in value;
}
