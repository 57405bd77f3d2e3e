/** The two text formats a scrape may ask for. */
export type ExpositionFormat = 'text' | 'openmetrics';

/** The `Content-Type` of each format. */
export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

const TO_ESCAPE = /[\\\n"]/;

/** Escapes a label value (and, in OpenMetrics, a help text) so that it stands within double quotes. */
export function escapeQuoted(text: string): string {
  if (!TO_ESCAPE.test(text)) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

/** Escapes a help text; in the older format quotes stay as they are. */
export function escapeHelp(text: string, format: ExpositionFormat): string {
  if (format === 'openmetrics') return escapeQuoted(text);
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** `a="1",b="2"`, without braces, so that `le` can be added. */
export function labelText(labels: Readonly<Record<string, unknown>>): string {
  let text = '';
  for (const name in labels) {
    text += `${text === '' ? '' : ','}${name}="${escapeQuoted(String(labels[name]))}"`;
  }
  return text;
}

/** A sample's value. */
export function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

/**
 * The value of `le` as OpenMetrics prescribes it (`1.0`, `1e+06`, `1e-05`), used in both formats: a series must not
 * change its name when the format of the scrape changes.
 */
export function boundText(bound: number): string {
  if (bound === Infinity) return '+Inf';
  const size = Math.abs(bound);
  if (size !== 0 && (size >= 1e6 || size < 1e-4)) {
    return bound.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}
