import { expectNoneMixedUp } from './requests.ts';

/* The short form is in context.test.ts. */
describe('a thousand requests at a time', () => {
  it('never write a log line or a span as another, whatever they wait for', () => expectNoneMixedUp(1_000));
});
