import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { DeviceReader, DeviceType, getDeviceInfo } from '../../../src/core/http/device-info.ts';

const MAC =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36';
const HINTS = ['sec-ch-ua', 'sec-ch-ua-platform', 'sec-ch-ua-mobile'];
const NOTHING = 'unknown | unknown | unknown';

const read = (headers: Record<string, string>) => getDeviceInfo({ headers }, '');
const of = (userAgent: string) => read({ 'user-agent': userAgent });

/** The lines of the table: what to read from a user agent, and where it was published. */
function published(): { source: string; expected: string[]; userAgent: string }[] {
  const [, ...groups] = readFileSync(join(import.meta.dirname, 'device-user-agents.txt'), 'utf8').split(/^# /m);
  return groups.flatMap((group) => {
    const [source = '', ...lines] = group.trim().split('\n');
    return lines.map((line) => {
      const [, device, os, browser, version, userAgent = ''] =
        /^(.+?) \| (.+?) \| (.+?) \| (.+?) \| (.+)$/.exec(line) ?? [];
      return { source, expected: [device, os, browser, version].map(String), userAgent };
    });
  });
}

describe('the device of a request', () => {
  const table = published();

  it('is known for phones, tablets, desktops and programs, by strings of which the source is known', () => {
    expect(table).to.have.length.of.at.least(90);
    expect(table.filter(({ source }) => !source.startsWith('https://'))).to.deep.equal([]);
    const types = table.map(({ expected: [type] }) => type);
    for (const type of [...Object.values(DeviceType), '-']) {
      expect(types.filter((each) => each === type)).to.have.length.of.at.least(10);
    }
  });

  for (const { expected, userAgent } of table) {
    it(`is ${expected.join(' | ')} for ${userAgent.slice(0, 160)}`, () => {
      const device = of(userAgent);
      const parts = [device.device_type, device.os, device.browser, device.app_version];
      expect(parts.map((part) => part ?? '-')).to.deep.equal(expected);
      expect(device.user_agent).to.equal(userAgent);
    });
  }

  for (const garbage of [
    '',
    ' ',
    '-',
    'null',
    'Mozilla/5.0',
    'Mozilla/5.0 (',
    'Mozilla/5.0 ()',
    '/1.0',
    '((((((((',
    ';;;;;',
    "' OR 1=1 --",
    '() { :; }; /bin/cat /etc/passwd',
    '{jndi:ldap://127.0.0.1/a}',
    '<script>alert(1)</script>',
    '\u00ff\u00fe\u0001',
    '../../etc/passwd',
  ]) {
    it(`is nothing at all for ${JSON.stringify(garbage)}`, () => {
      const device = of(garbage);
      expect(device.fingerprint()).to.equal(NOTHING);
      expect(device.app_version).to.equal(undefined);
    });
  }

  describe('says as app_version', () => {
    for (const [what, headers, expected] of [
      ['what X-App-Version says', { 'x-app-version': '2.4.1 (889)' }, '2.4.1 (889)'],
      ['that rather than a version of the agent', { 'x-app-version': '3', 'user-agent': 'MyApp/2.1' }, '3'],
      ['the version of an agent that is no browser', { 'user-agent': 'MyApp/2.1 (iPhone; iOS 18.6)' }, '2.1'],
      ['nothing for a browser', { 'user-agent': MAC }, undefined],
      ['nothing for an old Opera', { 'user-agent': 'Opera/9.60 (Windows NT 6.0; U; en) Presto/2.1.1' }, undefined],
      ['32 characters at most, from the header', { 'x-app-version': '1'.repeat(33) }, '1'.repeat(32)],
      ['32 characters at most, from the agent', { 'user-agent': `MyApp/${'1'.repeat(33)}` }, '1'.repeat(32)],
      ['nothing that cannot be printed', { 'x-app-version': '\u0001 1.\u001b[31m0 \u00e9' }, '1.[31m0'],
      ['nothing that is empty', { 'x-app-version': ' ', 'user-agent': 'MyApp/2.1' }, '2.1'],
    ] as [string, Record<string, string>, string | undefined][]) {
      it(what, () => expect(read(headers).app_version).to.equal(expected));
    }
  });

  it('has the address that was found for it, or else that of the peer, without zone and mapping', () => {
    expect(getDeviceInfo({ headers: {} }, '1.2.3.4').ip_address).to.equal('1.2.3.4');
    expect(getDeviceInfo({ headers: {}, socket: { remoteAddress: '::ffff:1.2.3.4' } }).ip_address).to.equal('1.2.3.4');
    expect(getDeviceInfo({ headers: {} }).ip_address).to.equal('');
  });

  it('is named by kind, system and browser, with unknown for what is not known', () => {
    expect(of(MAC).fingerprint()).to.equal('desktop | macOS | Chrome');
    expect(of('curl/7.64.1').fingerprint()).to.equal('unknown | unknown | curl');
    expect(read({}).fingerprint()).to.equal(NOTHING);
  });
});

describe('a reader of devices', () => {
  it('remembers so many combinations of headers and no more, the newest', () => {
    const reader = new DeviceReader(3);
    for (let n = 0; n < 100; n++) {
      expect(reader.read({ 'user-agent': `MyApp/${n}` }, '').app_version).to.equal(`${n}`);
      expect(reader.read({ 'user-agent': `MyApp/${n}` }, '').app_version).to.equal(`${n}`);
      expect(reader.cached).to.equal(Math.min(n + 1, 3));
    }
  });

  it('tells combinations apart whichever header they differ in, and gives each request its own address', () => {
    const reader = new DeviceReader(100);
    const names = ['user-agent', ...HINTS, 'x-app-version'];
    for (const name of names) reader.read({ [name]: 'x' }, '');
    expect(reader.cached).to.equal(names.length);
    expect(reader.read({ 'user-agent': 'x' }, '1.1.1.1').ip_address).to.equal('1.1.1.1');
    expect(reader.read({ 'user-agent': 'x' }, '2.2.2.2').ip_address).to.equal('2.2.2.2');
    expect(reader.cached).to.equal(names.length);
  });
});
