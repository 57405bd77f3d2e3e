import { BlockList, isIP } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { clientAddress, createProxyTrust, normalizeAddress } from '../../../src/core/http/client-address.ts';

const PEER = '10.0.0.1';
const RUNS = { numRuns: 200 };

const ip = fc.oneof(fc.ipV4(), fc.ipV6());
const port = fc.integer({ min: 0, max: 65_535 });
const spaces = fc.constantFrom('', ' ', '\t', '  ');
/** An address in one of the ways in which proxies write it. */
const written = fc
  .record({ ip, port: fc.option(port), left: spaces, right: spaces })
  .map(({ ip, port, left, right }) => {
    const isV6 = ip.includes(':');
    const text = port === null ? ip : isV6 ? `[${ip}]:${port}` : `${ip}:${port}`;
    return { ip, text: left + text + right };
  });
const junk = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('unknown', '_hidden', '', '1.2.3', '1.2.3.4.5', '[::1', 'fe80::1%eth0', '256.1.1.1', '1.2.3.4:port'),
);
const trusts = fc.constantFrom(['none'], ['1'], ['9'], ['0.0.0.0/0', '::/0'], ['10.0.0.0/8']).map(createProxyTrust);

/** Whether two texts are one address, an IPv4 address mapped into IPv6 being the IPv4 address. */
function areSame(address: string, other: string): boolean {
  const familyOf = (text: string) => (isIP(text) === 6 ? 'ipv6' : 'ipv4');
  const list = new BlockList();
  list.addAddress(address, familyOf(address));
  return list.check(other, familyOf(other));
}

describe('the address of a client, whatever X-Forwarded-For says,', () => {
  it('is an address or that of the peer, written in the one way', () => {
    const entries = fc.array(
      fc.oneof(
        junk,
        written.map(({ text }) => text),
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(entries, trusts, (texts, trust) => {
        const address = clientAddress(PEER, texts.join(','), trust);
        expect(isIP(address), address).to.be.greaterThan(0);
        expect(normalizeAddress(address)).to.equal(address);
      }),
      RUNS,
    );
  });

  it('is the entry that as many steps from the right as proxies are counted wrote', () => {
    fc.assert(
      fc.property(
        fc.array(written, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 12 }),
        (entries, hops) => {
          const header = entries.map(({ text }) => text).join(',');
          const expected = entries.at(-Math.min(hops, entries.length))?.ip ?? '';
          const address = clientAddress(PEER, header, createProxyTrust([String(hops)]));
          expect(areSame(address, expected), `${address} is ${expected}`).to.equal(true);
          expect(normalizeAddress(address)).to.equal(address);
        },
      ),
      RUNS,
    );
  });

  it('does not depend on what stands left of the entry that decides', () => {
    fc.assert(
      fc.property(fc.array(junk), fc.ipV4(), (left, address) => {
        expect(clientAddress(PEER, [...left, address].join(','), createProxyTrust(['1']))).to.equal(address);
      }),
      RUNS,
    );
  });

  it('is that of the peer when no proxy is trusted', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          junk,
          written.map(({ text }) => text),
        ),
        (text) => {
          expect(clientAddress(PEER, text, createProxyTrust(['none']))).to.equal(PEER);
        },
      ),
      RUNS,
    );
  });
});
