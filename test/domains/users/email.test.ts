import { expect } from 'chai';
import fc from 'fast-check';
import { normalizeEmail } from '../../../src/domains/users/email.ts';

describe('an e-mail address', () => {
  for (const [given, expected] of [
    ['person@example.org', 'person@example.org'],
    ['Person@Example.ORG', 'person@example.org'],
    ['first.last+tag@sub.example.co.uk', 'first.last+tag@sub.example.co.uk'],
    ["o'brien@example.org", "o'brien@example.org"],
    ["!#$%&'*+/=?^_`{|}~-@example.org", "!#$%&'*+/=?^_`{|}~-@example.org"],
    ['\uff50\uff45\uff52\uff53\uff4f\uff4e@example.org', 'person@example.org'],
    ['person\uff20example.org', 'person@example.org'],
    ['\u212a@example.org', 'k@example.org'],
    ['a@b\u00fccher.example', 'a@xn--bcher-kva.example'],
    ['a@B\u00dcCHER.example', 'a@xn--bcher-kva.example'],
    ['a@bu\u0308cher.example', 'a@xn--bcher-kva.example'],
    ['a@xn--bcher-kva.example', 'a@xn--bcher-kva.example'],
    ['a@\u4f8b\u3048.jp', 'a@xn--r8jz45g.jp'],
    ['a@example\u3002org', 'a@example.org'],
    ['1@2.example', '1@2.example'],
    [`${'l'.repeat(64)}@example.org`, `${'l'.repeat(64)}@example.org`],
  ] as const) {
    it(`is kept in its one form: ${given.slice(0, 40)}`, () => {
      expect(normalizeEmail(given)).to.equal(expected);
      expect(normalizeEmail(expected), 'which is its own').to.equal(expected);
    });
  }

  for (const [what, given] of [
    ['nothing', ''],
    ['no @', 'person'],
    ['no local part', '@example.org'],
    ['no domain', 'person@'],
    ['a domain of one label', 'person@localhost'],
    ['two @', 'a@b@example.org'],
    ['a space in front', ' person@example.org'],
    ['a space behind', 'person@example.org '],
    ['a space inside', 'per son@example.org'],
    ['a no-break space', 'person\u00a0@example.org'],
    ['a newline behind', 'person@example.org\n'],
    ['a header of its own', 'person@example.org\r\nBcc: x@evil.example'],
    ['a tab', 'per\tson@example.org'],
    ['a null', 'per\0son@example.org'],
    ['a null in the domain', 'person@exam\0ple.org'],
    ['a zero-width space', 'per\u200bson@example.org'],
    ['a right-to-left override', '\u202eperson@example.org'],
    ['a Cyrillic look-alike', 'p\u0435rson@example.org'],
    ['a dotless i', 'm\u0131ke@example.org'],
    ['a capital I with a dot', 'm\u0130ke@example.org'],
    ['an umlaut in the local part', 'b\u00fccher@example.org'],
    ['half a surrogate pair', 'a\ud800@example.org'],
    ['half a surrogate pair in the domain', 'a@\ud800.org'],
    ['an emoji', '\u{1f600}@example.org'],
    ['quotes', '"a b"@example.org'],
    ['a comment', 'a(b)@example.org'],
    ['a name', 'Person <person@example.org>'],
    ['two dots', 'a..b@example.org'],
    ['a dot in front', '.a@example.org'],
    ['a dot behind', 'a.@example.org'],
    ['two dots in the domain', 'a@example..org'],
    ['a dot at the end of the domain', 'a@example.org.'],
    ['a hyphen in front of a label', 'a@-example.org'],
    ['an underscore in the domain', 'a@exam_ple.org'],
    ['an address of a machine', 'a@127.0.0.1'],
    ['an address of a machine in hex', 'a@0x7f.1'],
    ['an address in brackets', 'a@[127.0.0.1]'],
    ['a port', 'a@example.org:25'],
    ['a path', 'a@example.org/x'],
    ['a query', 'a@example.org?x'],
    ['a fragment', 'a@example.org#x'],
    ['a backslash', 'a@example.org\\x'],
    ['a full-width slash', 'a@example.org\uff0fx'],
    ['a percent sign in the domain', 'a@exam%70le.org'],
    ['a slash from a look-alike in the domain', 'a@\u2100.org'],
    ['Punycode that is none', 'a@xn--.org'],
    ['65 characters in the local part', `${'l'.repeat(65)}@example.org`],
    ['a label of 64 characters', `a@${'d'.repeat(64)}.org`],
    ['255 characters', `a@${`${'d'.repeat(60)}.`.repeat(4)}${'e'.repeat(9)}`],
    ['a million characters', `${'a'.repeat(1_000_000)}@example.org`],
  ] as const) {
    it(`is refused with ${what}`, () => expect(normalizeEmail(given)).to.equal(undefined));
  }

  it('may have 254 characters', () => {
    const address = `a@${`${'d'.repeat(60)}.`.repeat(4)}${'e'.repeat(8)}`;
    expect(address).to.have.lengthOf(254);
    expect(normalizeEmail(address)).to.equal(address);
  });

  it('has one form: ASCII, lower case, 254 characters at most, and normalising it again changes nothing', () => {
    const letters = fc.string({
      unit: fc.constantFrom(...'aZ0.-_+@ \n\u00fc\u00dc\uff41\u212a\u0130\u3002\u00df\u2100\u200b'),
    });
    const anything = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.emailAddress(),
      letters,
      fc.tuple(letters, letters).map(([local, domain]) => `${local}@${domain}.org`),
    );
    fc.assert(
      fc.property(anything, (text) => {
        const address = normalizeEmail(text);
        if (address === undefined) return;
        expect(address)
          .to.match(/^[!-~]{3,254}$/)
          .and.equal(address.toLowerCase());
        expect(address.split('@')).to.have.lengthOf(2);
        expect(normalizeEmail(address)).to.equal(address);
        expect(normalizeEmail(address.toUpperCase())).to.equal(address);
      }),
      { numRuns: 1000 },
    );
  });
});
