import type { IncomingHttpHeaders } from 'node:http';
import Bowser from 'bowser';

export const DeviceType = { MOBILE: 'mobile', TABLET: 'tablet', DESKTOP: 'desktop' } as const;
export type DeviceType = (typeof DeviceType)[keyof typeof DeviceType];

type Device = {
  user_agent: string | undefined;
  device_type: DeviceType | undefined;
  os: string | undefined;
  browser: string | undefined;
  app_version: string | undefined;
};

/** What a request tells of the device it came from. Every part may be missing; none is longer than 512 characters. */
export class SessionDeviceInfo {
  readonly user_agent: string | undefined;
  readonly ip_address: string;
  readonly device_type: DeviceType | undefined;
  readonly os: string | undefined;
  readonly browser: string | undefined;
  readonly app_version: string | undefined;

  constructor(device: Device, ipAddress: string) {
    this.user_agent = device.user_agent;
    this.ip_address = ipAddress;
    this.device_type = device.device_type;
    this.os = device.os;
    this.browser = device.browser;
    this.app_version = device.app_version;
  }

  /** `desktop | macOS | Chrome`, with `unknown` for what is not known: a name for a session, not an identity. */
  fingerprint(): string {
    return [this.device_type, this.os, this.browser].map((part) => part ?? 'unknown').join(' | ');
  }
}

const MAX_USER_AGENT = 512;
const MAX_PART = 64;
const MAX_VERSION = 32;
const MAX_CACHED = 2000;
const cache = new Map<string, Device>();

/** Reads the device from the headers of a request. Never throws; parses a combination of headers once. */
export function getDeviceInfo(request: { headers: IncomingHttpHeaders }, ipAddress: string): SessionDeviceInfo {
  const { headers } = request;
  const userAgent = headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? '';
  const brands = header(headers, 'sec-ch-ua');
  const platform = header(headers, 'sec-ch-ua-platform');
  const mobile = header(headers, 'sec-ch-ua-mobile');
  const appVersion = header(headers, 'x-app-version');
  const key = `${userAgent}\n${brands}\n${platform}\n${mobile}\n${appVersion}`;
  let device = cache.get(key);
  if (device === undefined) {
    device = parseDevice(userAgent, brands, platform, mobile, appVersion);
    if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value ?? '');
    cache.set(key, device);
  }
  return new SessionDeviceInfo(device, ipAddress);
}

function header(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value.slice(0, MAX_USER_AGENT) : '';
}

function parseDevice(userAgent: string, brands: string, platform: string, mobile: string, appVersion: string): Device {
  const parsed = parseUserAgent(userAgent);
  const hintedType = mobile === '?1' ? DeviceType.MOBILE : mobile === '?0' ? DeviceType.DESKTOP : undefined;
  // A tablet says ?0 as a desktop does; only the user agent knows better.
  const deviceType =
    parsed.deviceType === DeviceType.TABLET && hintedType !== DeviceType.MOBILE ? undefined : hintedType;
  const product = productOf(userAgent);
  return {
    user_agent: printable(userAgent, MAX_USER_AGENT),
    device_type: deviceType ?? parsed.deviceType,
    os: printable(unquote(platform), MAX_PART) ?? parsed.os,
    browser: brandIn(brands) ?? parsed.browser ?? product?.name,
    app_version: printable(appVersion, MAX_VERSION) ?? product?.version,
  };
}

function parseUserAgent(userAgent: string): { deviceType?: DeviceType; os?: string; browser?: string } {
  if (userAgent === '') return {};
  try {
    const { platform, os, browser } = Bowser.parse(userAgent);
    const type = Object.values(DeviceType).find((known) => known === platform.type);
    return {
      ...(type === undefined ? {} : { deviceType: type }),
      ...(os.name === undefined ? {} : { os: os.name }),
      ...(browser.name === undefined || browser.name === '' ? {} : { browser: browser.name }),
    };
  } catch {
    // The parser gave up on a hostile string: the device is unknown, and the string itself is on the access line.
    return {};
  }
}

const PRODUCT = /^([A-Za-z][\w.+ -]{0,63})\/([\w.+-]{1,32})/;

/** The product and version of an agent that is no browser, such as `curl/8.5.0` or `MyApp/2.1`. */
function productOf(userAgent: string): { name: string; version: string } | undefined {
  const match = PRODUCT.exec(userAgent);
  if (match === null || match[1] === 'Mozilla' || match[1] === 'Opera') return undefined;
  return { name: match[1] ?? '', version: match[2] ?? '' };
}

const BRAND = /"([^"\\]{1,64})"\s*;\s*v="[^"]{0,32}"/g;

/** The brand that says most: not the deliberate nonsense one, and `Chromium` only when nothing else is there. */
function brandIn(brands: string): string | undefined {
  const names = [...brands.matchAll(BRAND)]
    .map((match) => match[1] ?? '')
    .filter((name) => !/not.?a.?brand/i.test(name));
  return shortBrand(names.find((name) => name !== 'Chromium') ?? names[0]);
}

function shortBrand(name: string | undefined): string | undefined {
  return name === 'Google Chrome' ? 'Chrome' : name;
}

function unquote(text: string): string {
  return text.replace(/^"|"$/g, '');
}

function printable(text: string, maxLength: number): string | undefined {
  const clean = text
    .replace(/[^\x20-\x7e]/g, '')
    .trim()
    .slice(0, maxLength);
  return clean === '' ? undefined : clean;
}
