import type { IncomingHttpHeaders } from 'node:http';
import { clientAddress, createProxyTrust } from './client-address.ts';
import { type ClientHints, readClientHints } from './device-client-hints.ts';
import { parseUserAgent } from './device-user-agent.ts';

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

/** Of any header no more is looked at, so that nothing a client sends takes long. */
const MAX_HEADER = 512;
const MAX_PART = 64;
const MAX_VERSION = 32;
const NOBODY_TRUSTED = createProxyTrust([]);

/** The part of a request that tells of its device. */
export type DeviceRequest = {
  headers: IncomingHttpHeaders;
  socket?: { remoteAddress?: string | undefined };
};

/**
 * Reads devices from the headers of requests. A combination of headers is parsed once; the `maxCached` that came last
 * are remembered.
 */
export class DeviceReader {
  readonly #maxCached: number;
  readonly #cache = new Map<string, Device>();

  constructor(maxCached: number) {
    this.#maxCached = maxCached;
  }

  get cached(): number {
    return this.#cache.size;
  }

  read(headers: IncomingHttpHeaders, ipAddress: string): SessionDeviceInfo {
    const userAgent = header(headers, 'user-agent');
    const brands = header(headers, 'sec-ch-ua');
    const platform = header(headers, 'sec-ch-ua-platform');
    const mobile = header(headers, 'sec-ch-ua-mobile');
    const appVersion = header(headers, 'x-app-version');
    const others = brands.length + platform.length + mobile.length + appVersion.length;
    // No header can hold a line break, so no two combinations have one key. Most callers send nothing but a user agent.
    const key = others === 0 ? userAgent : `${userAgent}\n${brands}\n${platform}\n${mobile}\n${appVersion}`;
    let device = this.#cache.get(key);
    if (device === undefined) {
      device = deviceOf(userAgent, readClientHints(brands, platform, mobile), appVersion);
      if (this.#cache.size >= this.#maxCached) this.#cache.delete(this.#cache.keys().next().value ?? '');
      this.#cache.set(key, device);
    }
    return new SessionDeviceInfo(device, ipAddress);
  }
}

const reader = new DeviceReader(2_000);

/**
 * Reads the device of a request from `X-App-Version`, its client hints and its user agent, the hints first. Its address
 * is that of the peer unless another is given. Never throws.
 */
export function getDeviceInfo(request: DeviceRequest, ipAddress?: string): SessionDeviceInfo {
  const address = ipAddress ?? clientAddress(request.socket?.remoteAddress, undefined, NOBODY_TRUSTED);
  return reader.read(request.headers, address);
}

function header(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  if (typeof value !== 'string') return '';
  // As a copy: a slice would keep the whole header in memory for as long as it is remembered.
  return value.length <= MAX_HEADER ? value : Buffer.from(value.slice(0, MAX_HEADER)).toString();
}

function deviceOf(userAgent: string, hints: ClientHints, appVersion: string): Device {
  const parsed = parseUserAgent(userAgent);
  const os = hints.platform ?? parsed.os;
  return {
    user_agent: printable(userAgent, MAX_HEADER),
    device_type: typeOf(hints, os) ?? Object.values(DeviceType).find((known) => known === parsed.deviceType),
    os: printable(os, MAX_PART),
    browser: printable(browserOf(hints, parsed.browser), MAX_PART),
    app_version: printable(appVersion, MAX_VERSION) ?? printable(parsed.version, MAX_VERSION),
  };
}

/** A tablet says that it is not mobile, as a desktop does; its system tells them apart. */
function typeOf({ isMobile }: ClientHints, os: string | undefined): DeviceType | undefined {
  if (isMobile === undefined) return undefined;
  if (isMobile) return DeviceType.MOBILE;
  return os === 'Android' || os === 'iOS' ? DeviceType.TABLET : DeviceType.DESKTOP;
}

/** Browsers that name nothing but their engine as brand may say in their user agent what they are. */
function browserOf({ brand }: ClientHints, parsed: string | undefined): string | undefined {
  return brand === 'Chromium' && parsed !== 'Chrome' ? (parsed ?? brand) : (brand ?? parsed);
}

/** Without what is not printable ASCII, cut to a length; nothing when nothing is left. */
function printable(text: string | undefined, maxLength: number): string | undefined {
  const clean = text
    ?.replace(/[^\x20-\x7e]/g, '')
    .trim()
    .slice(0, maxLength);
  return clean === '' ? undefined : clean;
}
