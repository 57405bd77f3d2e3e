/** What stands where a secret was. */
export const HIDDEN = '[redacted]';

/** The longest text that is kept by default, in UTF-16 units. */
export const TEXT_LIMIT = 16_384;

const WORD = /[\w-]+/y;
const DOTTED_WORDS = /[\w.-]+/y;
const SHORTEST_JOSE_HEADER = 10;

/* Every pattern is linear: each repetition is bounded or cannot overlap with what follows it, and no two starts share a tail. */
const PROSE = '(?:tokens?|auth\\w{0,12}|schemes?|credentials?|and|or|is|was|of|in)(?:[\\s.,:;!?)\'"]|$)';
const BEARER = new RegExp(`(bearer(?:\\s|%20|[:=])+)(?!${PROSE}|(?:realm|error|scope)=)[^\\s"'<>,;)}\\]]+`, 'gi');
const USER_INFO = /:\/\/[^\s/?#]*@/g;
const NAME = '(?:passw(?:or)?d|secret|token|authorization|cookie|(?:api|signing|private)[-_]?key)\\w{0,20}';
const QUOTED_VALUE = new RegExp(`(${NAME}["']?\\s{0,5}[:=]\\s{0,5}(["']))(?:\\\\[^]|(?!\\2)[^\\\\])*`, 'gi');
const ESCAPED_QUOTED_VALUE = new RegExp(`(${NAME}\\\\["']\\s{0,5}[:=]\\s{0,5}\\\\["'])[^"'\\\\]*`, 'gi');
const BARE_VALUE = new RegExp(`(${NAME}=)[^\\s"'&;,]+`, 'gi');

function hideJoseTokens(text: string): string {
  let at = text.indexOf('eyJ');
  let kept = '';
  let from = 0;
  while (at >= 0) {
    WORD.lastIndex = at;
    WORD.test(text);
    let end = WORD.lastIndex;
    if (text[end] === '.' && end - at >= SHORTEST_JOSE_HEADER) {
      DOTTED_WORDS.lastIndex = end;
      DOTTED_WORDS.test(text);
      end = DOTTED_WORDS.lastIndex;
      kept += text.slice(from, at) + HIDDEN;
      from = end;
    }
    at = text.indexOf('eyJ', end);
  }
  return kept + text.slice(from);
}

function hidePemBlocks(text: string): string {
  let at = text.indexOf('-----BEGIN ');
  let kept = '';
  let from = 0;
  while (at >= 0) {
    const footer = text.indexOf('-----END ', at);
    const close = footer < 0 ? -1 : text.indexOf('-----', footer + 9);
    kept += text.slice(from, at) + HIDDEN;
    from = close < 0 ? text.length : close + 5;
    at = text.indexOf('-----BEGIN ', from);
  }
  return kept + text.slice(from);
}

function hideShapes(given: string): string {
  let text = given;
  if (text.includes('-----BEGIN ')) text = hidePemBlocks(text);
  if (text.includes('eyJ')) text = hideJoseTokens(text);
  if (text.includes('://')) text = text.replace(USER_INFO, `://${HIDDEN}@`);
  text = text.replace(BEARER, `$1${HIDDEN}`);
  if (text.includes('=')) text = text.replace(BARE_VALUE, `$1${HIDDEN}`);
  if (text.includes('"') || text.includes("'")) {
    text = text.replace(ESCAPED_QUOTED_VALUE, `$1${HIDDEN}`).replace(QUOTED_VALUE, `$1${HIDDEN}`);
  }
  return text;
}

/** Cuts text at `limit` UTF-16 units and says how much is missing. */
export function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}…[+${text.length - limit} characters]`;
}

/**
 * Text without what looks like a secret: JWT and JWE, `Bearer …`, PEM blocks, user-info in a URL, and `key=value` or
 * `"key": "value"` under a sensitive name. At most `limit` UTF-16 units are kept; time is linear in that, not in the
 * length of the text.
 */
export function redactText(text: string, limit: number = TEXT_LIMIT): string {
  if (text.length <= limit) return hideShapes(text);
  // Some more is read than kept, so that a secret which the limit cuts in two is still seen whole.
  const shown = hideShapes(text.slice(0, limit + 4_096)).slice(0, limit);
  return `${shown}…[+${text.length - limit} characters]`;
}
