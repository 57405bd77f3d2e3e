/** What `Sec-CH-UA`, `Sec-CH-UA-Platform` and `Sec-CH-UA-Mobile` say; a part that is missing or malformed is unknown. */
export type ClientHints = {
  brand: string | undefined;
  platform: string | undefined;
  isMobile: boolean | undefined;
};

const STRING = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
const MEMBER = /[\t ]*"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"(?:; *v="[\w.+ -]*")?[\t ]*(?:,|$)/y;
/** Browsers mix one in that is none, so that nobody relies on a fixed list ("Not A;Brand"). */
const NONSENSE = /brand/i;
const ENGINE = 'Chromium';

/** Names by which the same thing goes in user agents. */
const PLATFORMS = new Map([
  ['Mac OS X', 'macOS'],
  ['Chromium OS', 'Chrome OS'],
]);
const BRANDS = new Map([
  ['Google Chrome', 'Chrome'],
  ['YaBrowser', 'Yandex Browser'],
]);

/** Reads the three hints (User-Agent Client Hints §3; their values are structured fields, RFC 9651). */
export function readClientHints(brands: string, platform: string, mobile: string): ClientHints {
  const named = unescaped(STRING.exec(platform.trim())?.[1] ?? '');
  return {
    brand: brandIn(brands),
    platform: named === '' || named === 'Unknown' ? undefined : (PLATFORMS.get(named) ?? named),
    isMobile: mobile === '?1' ? true : mobile === '?0' ? false : undefined,
  };
}

/** The brand that says most: one that is no nonsense, and the engine's only when there is no other. */
function brandIn(list: string): string | undefined {
  const names = membersOf(list).filter((name) => name.trim() !== '' && !NONSENSE.test(name));
  const name = names.find((each) => each !== ENGINE) ?? names[0];
  return name === undefined ? undefined : (BRANDS.get(name) ?? name);
}

/** The strings of a list; none when it is malformed anywhere, as the standard asks for. */
function membersOf(list: string): string[] {
  const names: string[] = [];
  if (list.trimEnd().endsWith(',')) return names;
  MEMBER.lastIndex = 0;
  while (MEMBER.lastIndex < list.length) {
    const name = MEMBER.exec(list)?.[1];
    if (name === undefined) return [];
    names.push(unescaped(name));
  }
  return names;
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(["\\])/g, '$1');
}
