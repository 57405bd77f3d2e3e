import { expect } from 'chai';
import fc from 'fast-check';
import { DeviceReader, DeviceType, getDeviceInfo } from '../../../src/core/http/device-info.ts';

const NAMES = ['user-agent', 'sec-ch-ua', 'sec-ch-ua-platform', 'sec-ch-ua-mobile', 'x-app-version'] as const;
const LOOKED_AT = 512;
const KIB_64 = 64 * 1024;
const RUNS = { numRuns: 200 };
const PRINTABLE = /^[\x20-\x7e]+$/;

/** Pieces of which user agents and hints are made, so that parsers get further than the first character. */
const piece = fc.constantFrom(
  ...[
    'Mozilla/5.0',
    ' (',
    '; ',
    ') ',
    'Windows NT 10.0',
    'Macintosh',
    'Intel Mac OS X 10_15_7',
    'Linux; Android 10; K',
  ],
  ...[
    'AppleWebKit/537.36',
    '(KHTML, like Gecko)',
    'Chrome/143.0',
    'Mobile',
    'Safari/537.36',
    'CriOS/1',
    'FxiOS/',
    'iPad',
  ],
  ...[
    'compatible; ',
    'bot',
    'Googlebot/2.1',
    '+http',
    'Opera/',
    'Version/',
    'SamsungBrowser/',
    'Tablet',
    '"',
    '\\',
    ',',
  ],
  ...['"Chromium"', ';v="1"', '"Not A;Brand"', '"Windows"', '?1', '?0', '__proto__', 'constructor', 'toString'],
);
const value = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 2000 }),
  fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 60 }).map((pieces) => pieces.join('')),
);
const headers = fc.record(Object.fromEntries(NAMES.map((name) => [name, value])), { requiredKeys: [] });

const HOSTILE = [
  ...['a', ' ', '(', ')', ';', '/', '"', '\\', '\u00ff', 'Mozilla/5.0 ', 'Mozilla/5.0 (', 'Android ', 'Macintosh '],
  ...[
    'Macintosh FxiOS ',
    'like Mac OS X ',
    '(iPhone OS 1_1_1',
    'Windows Phone ',
    'Version/',
    'Chrome/1.1.1',
    'Opera/9.80 ',
  ],
  ...[
    'bot',
    'bot ',
    'cubot',
    'compatible; ',
    '(compatible; a',
    'a/1 ',
    'a+',
    'AFT',
    'TV',
    '"a";v="',
    '"a", ',
    '"\\"',
    '?1',
  ],
];

describe('the device of a request, whatever its headers are,', () => {
  it('is read without an error, in printable ASCII of bounded length', () => {
    fc.assert(
      fc.property(headers, (given) => {
        const device = getDeviceInfo({ headers: given as Record<string, string> }, '');
        const { user_agent, device_type, os, browser, app_version } = device;
        for (const [part, most] of [
          [user_agent, LOOKED_AT],
          [os, 64],
          [browser, 64],
          [app_version, 32],
        ] as const) {
          if (part !== undefined) expect(part).to.match(PRINTABLE).with.length.of.at.most(most);
        }
        if (device_type !== undefined) expect(Object.values(DeviceType)).to.include(device_type);
        const parts = [device_type, os, browser].map((part) => part ?? 'unknown');
        expect(device.fingerprint()).to.equal(parts.join(' | '));
      }),
      RUNS,
    );
  });

  it('is that of the first 512 characters of each: more is not looked at', () => {
    const long = value.map((text) => text.padEnd(LOOKED_AT, 'Mozilla/5.0 ').slice(0, LOOKED_AT));
    fc.assert(
      fc.property(fc.constantFrom(...NAMES), long, value, (name, text, more) => {
        const [short, longer] = [text, text + more].map((each) => getDeviceInfo({ headers: { [name]: each } }, ''));
        expect(longer).to.deep.equal(short);
      }),
      RUNS,
    );
  });

  // Were more of them looked at, the slowest of the parsers would need hours for these.
  for (const text of HOSTILE) {
    it(`is read of 64 KiB of ${JSON.stringify(text)}`, () => {
      const evil = text.repeat(KIB_64 / text.length);
      for (const name of NAMES) {
        const [whole, cut] = [evil, evil.slice(0, LOOKED_AT)].map((each) =>
          new DeviceReader(1).read({ [name]: each }, ''),
        );
        expect(whole).to.deep.equal(cut);
      }
    });
  }
});
