import { isIPv6 } from 'node:net';

/**
 * What is one caller where addresses are counted: an IPv4 address as it is, an IPv6 address as its /64, since whoever has
 * one of those has all of it (RFC 6177 §2). Takes addresses as `clientAddress` gives them.
 */
export function networkOf(address: string): string {
  if (!address.includes(':') || !isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const first = groupsOf(head);
  const last = groupsOf(tail ?? '');
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const all = [...first, ...Array<string>(zeros).fill('0'), ...last];
  return `${all.slice(0, 4).join(':')}::/64`;
}

/** Whether two addresses are one caller. */
export function isSameNetwork(one: string, other: string): boolean {
  return networkOf(one) === networkOf(other);
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}
