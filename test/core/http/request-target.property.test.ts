import { expect } from 'chai';
import fc from 'fast-check';
import { AppHttpError } from '../../../src/core/errors/app-http-error.ts';
import { pathOfTarget, refusalOfRequest } from '../../../src/core/http/request-target.ts';

const RUNS = { numRuns: 200 };
const piece = fc.constantFrom(
  ...['/', '//', '?', '#', '*', 'http://', 'h', ':', '@', '%', '%2f', '..', '\\', ' ', '[', 'a:b', 'é'],
);
const target = fc.oneof(
  fc.string(),
  fc.webUrl({ withQueryParameters: true }),
  fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join('')),
);

describe('the target of a request, whatever it is,', () => {
  it('has a path without query and fragment, that begins with a slash or is the asterisk', () => {
    fc.assert(
      fc.property(target, (text) => {
        const path = pathOfTarget(text);
        expect(path).to.match(/^(\/[^?#]*|\*)$/s);
        expect(pathOfTarget(path), 'of which the path is the path').to.equal(path);
      }),
      RUNS,
    );
  });

  it('is let through or refused with a 4xx', () => {
    const hosts = fc.array(fc.constantFrom('Host', 'host', 'X-Host'), { maxLength: 3 });
    fc.assert(
      fc.property(target, hosts, fc.option(fc.string(), { nil: undefined }), (url, names, expect_) => {
        const rawHeaders = names.flatMap((name) => [name, 'a']);
        const req = { url, rawHeaders, httpVersion: '1.1', headers: { expect: expect_ } };
        const refusal = refusalOfRequest(req as never);
        if (refusal === undefined) return;
        expect(refusal).to.be.instanceOf(AppHttpError);
        expect(refusal.status).to.be.oneOf([400, 417]);
      }),
      RUNS,
    );
  });
});
