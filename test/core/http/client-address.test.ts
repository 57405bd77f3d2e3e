import { expect } from 'chai';
import { clientAddress, createProxyTrust } from '../../../src/core/http/client-address.ts';

const PEER = '10.0.0.1';

describe('the address of a client', () => {
  for (const [trust, forwarded, expected, why] of [
    ['none', '1.2.3.4', PEER, 'nobody is trusted'],
    ['', '1.2.3.4', PEER, 'nothing is said about proxies'],
    ['0', '1.2.3.4', PEER, 'no hop is trusted'],
    ['1', '1.2.3.4', '1.2.3.4', 'one proxy stands in front'],
    ['1', '6.6.6.6, 1.2.3.4', '1.2.3.4', 'what the client wrote itself stands further left'],
    ['2', '6.6.6.6, 1.2.3.4, 10.0.0.2', '1.2.3.4', 'two proxies stand in front'],
    ['5', '1.2.3.4, 10.0.0.2', '1.2.3.4', 'there are fewer entries than hops'],
    ['1', undefined, PEER, 'the proxy said nothing'],
    ['1', '', PEER, 'the proxy said nothing at all'],
    ['10.0.0.0/8', '1.2.3.4, 10.9.9.9', '1.2.3.4', 'the networks of the proxies are known'],
    ['10.0.0.0/8', '10.1.1.1, 10.9.9.9', '10.1.1.1', 'everything is inside'],
    ['192.168.0.0/16', '1.2.3.4', PEER, 'the peer is no proxy'],
    ['10.0.0.1', '1.2.3.4', '1.2.3.4', 'the proxy is known by its address'],
    ['10.0.0.1,2001:db8::/32', '1.2.3.4, 2001:db8::7', '1.2.3.4', 'proxies of both families are known'],
    ['1', '1.2.3.4:5678', '1.2.3.4', 'a port was added'],
    ['1', '[2001:db8::1]', '2001:db8::1', 'brackets were added'],
    ['1', '[2001:db8::1]:443', '2001:db8::1', 'brackets and a port were added'],
    ['1', '::ffff:1.2.3.4', '1.2.3.4', 'an IPv4 address came mapped'],
    ['1', '  1.2.3.4  ', '1.2.3.4', 'spaces were added'],
    ['2', '1.2.3.4, not-an-ip', PEER, 'an entry is no address'],
    ['3', '6.6.6.6, unknown, 10.0.0.2', '10.0.0.2', 'the walk ends at the last trusted entry'],
    ['2', '1.2.3.4,,', PEER, 'an entry is empty'],
    ['1', 'fe80::1%eth0', PEER, 'an entry has a zone, which is a name of another machine'],
    ['1', '1.2.3.4.5', PEER, 'an entry only looks like an address'],
    ['1', '1'.repeat(5000), PEER, 'an entry is absurdly long'],
    ['1', '[1.2.3.4', PEER, 'a bracket does not close'],
    ['1', '1.2.3.4:99999999', PEER, 'a port is none'],
    ['1', '[1.2.3.4]', PEER, 'brackets are around what needs none'],
    ['1', '01.2.3.4', PEER, 'a number is octal for some'],
    ['1', '2001:DB8:0:0::1', '2001:db8::1', 'an address is written in another way'],
    ['1', '::FFFF:102:304', '1.2.3.4', 'an IPv4 address came mapped, in hexadecimal'],
    [
      '10.0.0.0/8,192.168.0.0/16',
      '1.2.3.4, 192.168.7.7, 10.9.9.9',
      '1.2.3.4',
      'proxies of two networks stand in front',
    ],
    ['10.0.0.0/8', '1.2.3.4, 192.168.7.7, 10.9.9.9', '192.168.7.7', 'a proxy that is not known stands in between'],
    ['10.0.0.0/8', '1.2.3.4, ::ffff:10.9.9.9', '1.2.3.4', 'a known proxy came mapped'],
    ['10.0.0.0/31', '1.2.3.4, 10.0.0.2', '10.0.0.2', 'a proxy stands just outside of the network'],
  ] as const) {
    it(`is ${expected} with TRUST_PROXY=${trust} when ${why}`, () => {
      const entries = trust === '' ? [] : trust.split(',');
      expect(clientAddress(PEER, forwarded, createProxyTrust(entries))).to.equal(expected);
    });
  }

  it('shows an IPv4 peer of a dual-stack socket as IPv4, and a link-local one without its zone', () => {
    const trust = createProxyTrust([]);
    expect(clientAddress('::ffff:1.2.3.4', undefined, trust)).to.equal('1.2.3.4');
    expect(clientAddress('fe80::1%eth0', undefined, trust)).to.equal('fe80::1');
  });

  it('is empty, and trusted by nobody, when the peer has gone already', () => {
    expect(clientAddress(undefined, '1.2.3.4', createProxyTrust(['10.0.0.0/8']))).to.equal('');
  });

  it('looks at the hundred entries at the right, and at nothing of a header that is longer', () => {
    const everybody = createProxyTrust(['0.0.0.0/0', '::/0']);
    const from = (entries: number) => Array.from({ length: entries }, (_, n) => `1.1.${n >> 8}.${n & 255}`).join(', ');
    expect(clientAddress(PEER, from(100), everybody)).to.equal('1.1.0.0');
    expect(clientAddress(PEER, from(101), everybody)).to.equal('1.1.0.1');
    expect(clientAddress(PEER, from(2000), everybody)).to.equal('1.1.7.108');
    expect(clientAddress(PEER, from(2000), createProxyTrust(['99']))).to.equal('1.1.7.109');
  });
});

describe('TRUST_PROXY', () => {
  it('is refused when an entry is no network', () => {
    expect(() => createProxyTrust(['nonsense'])).to.throw(RangeError);
  });
});
