/*
 * JSON.stringify escapes C0 controls and lone surrogates. A terminal or a line reader also acts on DEL, the C1
 * controls (U+009B is ESC [), the line separators and the bidirectional controls, so these are escaped too.
 */
const LEFT_BY_JSON = '\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff';
const UNSAFE_IN_JSON = new RegExp(`[${LEFT_BY_JSON}]`, 'g');
const UNSAFE_ON_TERMINAL = new RegExp(`[\\u0000-\\u001f${LEFT_BY_JSON}]`, 'g');
const NEEDS_NO_ESCAPE = /^[ !#-[\]-~]*$/;

function asEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A string as a JSON string, with everything that could steer a terminal or break a line escaped. */
export function quote(text: string): string {
  return NEEDS_NO_ESCAPE.test(text) ? `"${text}"` : JSON.stringify(text).replace(UNSAFE_IN_JSON, asEscape);
}

/** Any plain JSON value as JSON text, escaped like {@link quote}. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE_IN_JSON, asEscape);
}

/** Text for a terminal: control, escape and bidirectional characters (newlines too) become visible `\u` escapes. */
export function printable(text: string): string {
  return text.replace(UNSAFE_ON_TERMINAL, asEscape);
}

/**
 * The same text in one piece. A concatenated string is a tree of its parts, which every line made with it would walk
 * again: for what is made once and used on every line.
 */
export function flat(text: string): string {
  return Buffer.from(text).toString();
}
