import { expect } from 'chai';
import { requestIdFor } from '../../../src/core/http/request-id.ts';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('the request id', () => {
  for (const given of ['a', 'req-1', '!~', 'x'.repeat(128), '{"a":1}', '../../etc/passwd']) {
    it(`is the caller's: ${given.slice(0, 20)}`, () => expect(requestIdFor(given)).to.equal(given));
  }

  for (const [what, given] of [
    ['none was sent', undefined],
    ['it is empty', ''],
    ['it is over 128 characters', 'x'.repeat(129)],
    ['it has a space', 'a b'],
    ['it has a control character', 'a\u001b[31m'],
    ['it ends in a newline', 'abc\n'],
    ['it is not ASCII', 'é'],
    ['it was sent twice', ['a', 'b']],
  ] as const) {
    it(`is a fresh UUID when ${what}`, () => {
      const id = requestIdFor(given as string | string[] | undefined);
      expect(id)
        .to.match(UUID_V4)
        .and.not.equal(requestIdFor(given as string | undefined));
    });
  }
});
