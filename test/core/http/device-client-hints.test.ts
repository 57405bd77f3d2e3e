import { expect } from 'chai';
import { getDeviceInfo } from '../../../src/core/http/device-info.ts';

const PHONE =
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36';
const TABLET = PHONE.replace(' Mobile', '');
const MAC =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36';
/** Published in https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-CH-UA. */
const CHROME_BRANDS = '" Not A;Brand";v="99", "Chromium";v="96", "Google Chrome";v="96"';
const HINTS = { brands: 'sec-ch-ua', platform: 'sec-ch-ua-platform', mobile: 'sec-ch-ua-mobile' };

const read = (headers: Record<string, string>) => getDeviceInfo({ headers }, '');

describe('a device whose browser sends client hints', () => {
  for (const [what, headers, expected] of [
    ['the brand', { brands: CHROME_BRANDS }, 'unknown | unknown | Chrome'],
    ['the platform', { platform: '"Windows"' }, 'unknown | Windows | unknown'],
    ['that it is a phone', { mobile: '?1' }, 'mobile | unknown | unknown'],
    ['that it is none', { mobile: '?0' }, 'desktop | unknown | unknown'],
    ['that it is none, on Android', { mobile: '?0', platform: '"Android"' }, 'tablet | Android | unknown'],
    ['another system', { ua: MAC, platform: '"Windows"' }, 'desktop | Windows | Chrome'],
    ['another browser', { ua: MAC, brands: '"Brave";v="143", "Chromium";v="143"' }, 'desktop | macOS | Brave'],
    ['another kind', { ua: MAC, mobile: '?1' }, 'mobile | macOS | Chrome'],
    ['a desktop site wanted on a phone', { ua: TABLET, mobile: '?1' }, 'mobile | Android | Chrome'],
    ['a tablet', { ua: TABLET, mobile: '?0' }, 'tablet | Android | Chrome'],
    ['a robot', { ua: 'Twitterbot/1.0', brands: CHROME_BRANDS }, 'unknown | unknown | Chrome'],
  ] as [string, Record<string, string>, string][]) {
    it(`is ${expected} when they say ${what}`, () => {
      const named = Object.entries(headers).map(([name, value]) => [
        name === 'ua' ? 'user-agent' : HINTS[name as keyof typeof HINTS],
        value,
      ]);
      expect(read(Object.fromEntries(named)).fingerprint()).to.equal(expected);
    });
  }

  for (const [brands, browser] of [
    ['"(Not(A:Brand";v="8", "Chromium";v="98"', 'Chromium'],
    [CHROME_BRANDS, 'Chrome'],
    ['" Not A;Brand";v="99", "Chromium";v="96", "Microsoft Edge";v="96"', 'Microsoft Edge'],
    ['"Opera";v="81", " Not;A Brand";v="99", "Chromium";v="95"', 'Opera'],
    ['"Chromium";v="92", "Microsoft Edge";v="92", "Placeholder;Browser Brand";v="99"', 'Microsoft Edge'],
    ['"Google Chrome"; v="83"', 'Chrome'],
    ['"\\\\Not\\"A;Brand"; v="99", "Chromium"; v="84", "Google Chrome"; v="84"', 'Chrome'],
    ['"Android WebView";v="130", "Chromium";v="130", "Not?A_Brand";v="99"', 'Android WebView'],
    ['"Not A;Brand";v="99"', undefined],
    ['Chrome', undefined],
    ['"Google Chrome;v="96"', undefined],
    ['"Chromium";v="96" "Google Chrome";v="96"', undefined],
    ['', undefined],
  ] as const) {
    it(`has the browser ${browser} for Sec-CH-UA: ${brands}`, () => {
      expect(read({ [HINTS.brands]: brands }).browser).to.equal(browser);
    });
  }

  it('is what its user agent says when they name nothing but the engine', () => {
    const headers = { [HINTS.brands]: '"Chromium";v="90", "Not A;Brand";v="99"' };
    expect(read({ ...headers, 'user-agent': `${MAC} Vivaldi/3.7` }).browser).to.equal('Vivaldi');
    expect(read({ ...headers, 'user-agent': MAC }).browser).to.equal('Chromium');
  });

  for (const [platform, os] of [
    ['"macOS"', 'macOS'],
    ['"Mac OS X"', 'macOS'],
    ['"Chromium OS"', 'Chrome OS'],
    ['"Unknown"', 'Android'],
    ['""', 'Android'],
    ['Windows', 'Android'],
    ["'Windows'", 'Android'],
    ['"Windows', 'Android'],
    ['"Win\u0001dows"', 'Android'],
  ] as const) {
    it(`runs ${os} for Sec-CH-UA-Platform: ${JSON.stringify(platform)} from an Android phone`, () => {
      expect(read({ 'user-agent': PHONE, [HINTS.platform]: platform }).os).to.equal(os);
    });
  }

  for (const mobile of ['1', '?2', '?1;a', 'true', '"?1"', '']) {
    it(`is what its user agent says for Sec-CH-UA-Mobile: ${mobile || 'nothing'}`, () => {
      expect(read({ 'user-agent': TABLET, [HINTS.mobile]: mobile }).device_type).to.equal('tablet');
    });
  }
});
