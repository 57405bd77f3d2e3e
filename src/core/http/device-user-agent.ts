import Bowser from 'bowser';

/** What a user agent says; every part may be unknown. `version` is the product's, of an agent that is no browser. */
export type AgentParts = {
  deviceType?: string | undefined;
  os?: string | undefined;
  browser?: string | undefined;
  version?: string | undefined;
};

/** How robots introduce themselves: `(compatible; Name/1.0; +https://…)`. */
const ROBOT_COMMENT = /[;(] ?compatible; ([\w.-]+)(?:\/([\w.+-]+))?; \+/;
/** A phone maker is called Cubot. */
const ROBOT_NAME = /(?<!\bcu)bot|crawler|spider|externalhit/i;
const PRODUCT = /^([A-Za-z][\w.+ -]{0,63})\/([\w.+-]{1,32})/;
const BROWSER_PRODUCTS = new Set(['Mozilla', 'Opera']);

/** What the library takes for the browser that it is built on, or calls otherwise than the browser calls itself. */
const BROWSERS: readonly (readonly [token: string, name: string])[] = [
  ['Instagram ', 'Instagram'],
  ['FBAN/', 'Facebook'],
  ['[FB_IAB/', 'Facebook'],
  ['DuckDuckGo/', 'DuckDuckGo'],
  ['HuaweiBrowser/', 'Huawei Browser'],
  ['OculusBrowser/', 'Meta Quest Browser'],
  ['SamsungBrowser/', 'Samsung Internet'],
  ['HeadlessChrome/', 'HeadlessChrome'],
  [' Brave', 'Brave'],
  ['; wv)', 'Android WebView'],
];
/** Browsers that exist on iOS alone, also where they pretend to run on a Mac, as those on an iPad do. */
const IOS_BROWSER = /\b(?:CriOS|EdgiOS|FxiOS|OPiOS)\//;
/** Some say `Mobile` and some do not, and none is a phone or a tablet. */
const TV_OR_HEADSET = /\b(?:TV|VR|BRAVIA|AFT\w+)\b/;

/**
 * Reads a user agent (RFC 9110 §10.1.5). Of a robot only its name is told: what it says of a device is what it pretends
 * to be. Never throws. The time it takes grows with the length: cut what comes from outside.
 */
export function parseUserAgent(userAgent: string): AgentParts {
  if (userAgent === '') return {};
  const robot = robotIn(userAgent);
  if (robot !== undefined) return robot;
  const parsed = parseByLibrary(userAgent);
  const [, name = '', version] = PRODUCT.exec(userAgent) ?? [];
  if (name !== '' && !BROWSER_PRODUCTS.has(name)) {
    return { deviceType: typeOfProgram(parsed, userAgent), os: parsed.os, browser: name, version };
  }
  if (IOS_BROWSER.test(userAgent)) {
    const isPhone = parsed.deviceType === 'mobile';
    return { deviceType: isPhone ? 'mobile' : 'tablet', os: 'iOS', browser: parsed.browser };
  }
  return {
    deviceType: typeOfBrowser(parsed, userAgent),
    os: parsed.os,
    browser: BROWSERS.find(([token]) => userAgent.includes(token))?.[1] ?? parsed.browser,
  };
}

function robotIn(userAgent: string): AgentParts | undefined {
  const introduced = ROBOT_COMMENT.exec(userAgent);
  if (introduced !== null) return { browser: introduced[1], version: introduced[2] };
  if (!ROBOT_NAME.test(userAgent)) return undefined;
  const token = userAgent.split(/[\s;,()+]+/).find((each) => ROBOT_NAME.test(each) && /^[\w.-]+(?:\/|$)/.test(each));
  if (token === undefined) return undefined;
  const [name, version] = token.split('/');
  return { browser: name, version: version === '' ? undefined : version };
}

function parseByLibrary(userAgent: string): Omit<AgentParts, 'version'> {
  try {
    const { platform, os, browser } = Bowser.parse(userAgent);
    // Where it knows nothing it gives the first word.
    return { deviceType: platform.type, os: os.name, browser: browser.name === 'Mozilla' ? undefined : browser.name };
  } catch {
    // The library gave up: nothing is known, and the string itself stands on the access line.
    return {};
  }
}

/** A program on Linux may run anywhere, and one on Android does not say `Mobile` as browsers on phones do. */
function typeOfProgram({ deviceType, os }: AgentParts, userAgent: string): string | undefined {
  if (os === 'Linux') return undefined;
  return os === 'Android' && !/mobile|tablet/i.test(userAgent) ? undefined : deviceType;
}

function typeOfBrowser({ deviceType, os }: AgentParts, userAgent: string): string | undefined {
  if (os === 'Chrome OS') return 'desktop';
  return TV_OR_HEADSET.test(userAgent) ? undefined : deviceType;
}
