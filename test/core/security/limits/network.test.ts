import { expect } from 'chai';
import fc from 'fast-check';
import { clientAddress, createProxyTrust } from '../../../../src/core/http/client-address.ts';
import { isSameNetwork, networkOf } from '../../../../src/core/security/limits/network.ts';

describe('who is one caller', () => {
  for (const [address, network] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['1:2:3:4::', '1:2:3:4::/64'],
    ['::192.0.2.1', '0:0:0:0::/64'],
    ['', ''],
  ] as const) {
    it(`is ${network === '' ? 'nobody' : network} for ${address === '' ? 'no address' : address}`, () => {
      expect(networkOf(address)).to.equal(network);
    });
  }

  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  const write = (groups: readonly number[]) => groups.map((each) => each.toString(16)).join(':');
  // As the service gets them: read from the header of a proxy, in their one spelling.
  const canonical = (text: string) => clientAddress('127.0.0.1', text, createProxyTrust(['1']));

  it('is, of IPv6, whoever has the same first 64 bits, however the address is written', () => {
    const four = fc.tuple(group, group, group, group);
    fc.assert(
      fc.property(four, four, four, (net, one, other) => {
        const [a, b] = [canonical(write([...net, ...one])), canonical(write([...net, ...other]))];
        fc.pre(a.includes(':') && b.includes(':'));
        expect(isSameNetwork(a, b)).to.equal(true);
        expect(networkOf(a)).to.equal(`${write(net)}::/64`);
      }),
    );
  });

  it('is nobody else, of IPv4 not even the neighbour', () => {
    expect(isSameNetwork('192.0.2.1', '192.0.2.2')).to.equal(false);
    expect(isSameNetwork('2001:db8:0:1::1', '2001:db8:0:2::1')).to.equal(false);
  });
});
