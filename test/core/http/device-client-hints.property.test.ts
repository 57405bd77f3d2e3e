import { expect } from 'chai';
import fc from 'fast-check';
import { getDeviceInfo } from '../../../src/core/http/device-info.ts';

const RUNS = { numRuns: 200 };

describe('client hints', () => {
  /** Pieces of a list, in any order. */
  const almost = fc
    .array(
      fc.constantFrom('"Chromium"', '"Brave"', ';v="1"', '; v="1"', ', ', ',', '"', '\\', ' ', 'x', '?1', '=', ';'),
    )
    .map((pieces) => pieces.join(''));
  const string = fc.string().map((text) => ({ text, quoted: `"${text.replaceAll(/["\\]/g, '\\$&')}"` }));
  /** Names that are neither the engine nor nonsense nor called otherwise here. */
  const brand = string.filter(
    ({ text }) => text.trim() !== '' && !/brand|^chromium$|^google chrome$|^yabrowser$/i.test(text),
  );

  it('tell the brand and the platform that a browser wrote into them', () => {
    fc.assert(
      fc.property(brand, brand, (name, system) => {
        fc.pre(!['Unknown', 'Mac OS X', 'Chromium OS'].includes(system.text));
        const device = getDeviceInfo(
          {
            headers: {
              'sec-ch-ua': `"Not A;Brand";v="99", ${name.quoted};v="1", "Chromium";v="1"`,
              'sec-ch-ua-platform': system.quoted,
            },
          },
          '',
        );
        expect({ browser: device.browser, os: device.os }).to.deep.equal({
          browser: name.text.trim(),
          os: system.text.trim(),
        });
      }),
      RUNS,
    );
  });

  it('tell nothing when they are no structured fields', () => {
    const text = '"([ !#-[\\]-~]|\\\\["\\\\])*"';
    const member = `${text}(; *v=${text})?`;
    const list = new RegExp(`^[ \\t]*${member}([ \\t]*,[ \\t]*${member})*[ \\t]*$`);
    fc.assert(
      fc.property(fc.oneof(fc.string(), almost), (sent) => {
        fc.pre(!list.test(sent));
        const { browser, os } = getDeviceInfo({ headers: { 'sec-ch-ua': sent, 'sec-ch-ua-platform': sent } }, '');
        expect({ browser, os }).to.deep.equal({ browser: undefined, os: undefined });
      }),
      RUNS,
    );
  });
});
