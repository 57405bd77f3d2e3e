import { BlockList, isIP, isIPv4 } from 'node:net';

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

/**
 * The address of the client: `X-Forwarded-For` is read right to left, the first address that no trusted proxy has wins.
 * An entry that is no IP address (port and brackets removed) ends the walk at the last trusted one.
 */
export function clientAddress(peer: string | undefined, forwardedFor: string | undefined, trust: ProxyTrust): string {
  // A link-local peer carries its zone, which is a name of this machine: fe80::1%eth0.
  let address = normalizeAddress((peer ?? '').split('%', 1)[0] ?? '') ?? '';
  if (forwardedFor === undefined || !trust.isTrusted(address, 0)) return address;
  let end = forwardedFor.length;
  for (let hop = 1; end > 0; hop++) {
    const comma = forwardedFor.lastIndexOf(',', end - 1);
    const next = normalizeAddress(forwardedFor.slice(comma + 1, end).trim());
    if (next === undefined) return address;
    address = next;
    if (!trust.isTrusted(address, hop)) return address;
    end = comma;
  }
  return address;
}

const BRACKETED = /^\[([^\]]{2,45})\](?::\d{1,5})?$/;
const IPV4_WITH_PORT = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/;
const MAPPED_IPV4 = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;

/** An address without port, brackets and IPv4 mapping; `undefined` when it is none. */
export function normalizeAddress(text: string): string | undefined {
  if (text.length > 64) return undefined;
  const bare = BRACKETED.exec(text)?.[1] ?? IPV4_WITH_PORT.exec(text)?.[1] ?? text;
  const unmapped = MAPPED_IPV4.exec(bare)?.[1] ?? bare;
  return isIP(unmapped) === 0 || unmapped.includes('%') ? undefined : unmapped;
}
