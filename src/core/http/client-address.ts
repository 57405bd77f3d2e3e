import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** Tells whether a peer's word about who stands behind it is believed. */
export type ProxyTrust = {
  /** Whether the entry that is `hop` steps away (0 is the peer on the socket) is a trusted proxy. */
  isTrusted(address: string, hop: number): boolean;
};

/** Reads `TRUST_PROXY`: nothing or `none`, one hop count, or networks in CIDR notation. Throws `RangeError` on others. */
export function createProxyTrust(entries: readonly string[]): ProxyTrust {
  const [first] = entries;
  if (first === undefined || first === 'none') return { isTrusted: () => false };
  if (/^\d+$/.test(first)) {
    const hops = Number(first);
    return { isTrusted: (_address, hop) => hop < hops };
  }
  const networks = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (isIP(address) === 0) throw new RangeError(`${entry} is no network`);
    if (prefix === undefined) networks.addAddress(address, family);
    else networks.addSubnet(address, Number(prefix), family);
  }
  // The address is empty where the peer has gone already; the list would throw at it.
  return { isTrusted: (address) => address !== '' && networks.check(address, isIPv4(address) ? 'ipv4' : 'ipv6') };
}

/** Entries that are looked at: as far as `TRUST_PROXY` can count, and no work for a header full of them. */
const MAX_ENTRIES = 100;

/**
 * The address of the client: `X-Forwarded-For` is read right to left, the first address that no trusted proxy has wins.
 * An entry that is no IP address (port and brackets removed) ends the walk at the last trusted one, and so does the end
 * of the header or the hundredth entry.
 */
export function clientAddress(peer: string | undefined, forwardedFor: string | undefined, trust: ProxyTrust): string {
  let address = peerAddress(peer ?? '');
  if (forwardedFor === undefined || !trust.isTrusted(address, 0)) return address;
  let end = forwardedFor.length;
  for (let hop = 1; end > 0 && hop <= MAX_ENTRIES; hop++) {
    const comma = forwardedFor.lastIndexOf(',', end - 1);
    const next = normalizeAddress(forwardedFor.slice(comma + 1, end).trim());
    if (next === undefined) return address;
    address = next;
    if (!trust.isTrusted(address, hop)) return address;
    end = comma;
  }
  return address;
}

const MAPPED_PREFIX = '::ffff:';
const BRACKETED = /^\[([0-9a-f:.]{2,45})\](?::\d{1,5})?$/i;
const IPV4_WITH_PORT = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/;
const MAPPED_IPV4 = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/** What the socket says is canonical already, but a link-local peer carries its zone: a name of this machine. */
function peerAddress(peer: string): string {
  const address = peer.split('%', 1)[0] ?? '';
  const unmapped = address.startsWith(MAPPED_PREFIX) ? address.slice(MAPPED_PREFIX.length) : address;
  return isIP(unmapped) === 0 ? '' : unmapped;
}

/**
 * The one way in which an address is written (RFC 5952), without port and brackets; an IPv4 address mapped into IPv6 as
 * IPv4. `undefined` when the text is no address.
 */
export function normalizeAddress(text: string): string | undefined {
  if (text.length > 64) return undefined;
  const bracketed = BRACKETED.exec(text)?.[1];
  const bare = bracketed ?? IPV4_WITH_PORT.exec(text)?.[1] ?? text;
  if (isIPv4(bare)) return bracketed === undefined ? bare : undefined;
  if (!isIPv6(bare) || bare.includes('%')) return undefined;
  const canonical = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const [, high, low] = MAPPED_IPV4.exec(canonical) ?? [];
  return high === undefined || low === undefined ? canonical : [...bytesOf(high), ...bytesOf(low)].join('.');
}

function bytesOf(hex: string): [number, number] {
  const value = Number.parseInt(hex, 16);
  return [value >> 8, value & 0xff];
}
