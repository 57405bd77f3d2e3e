import { expectNoneMixedUp } from './requests.ts';

describe('a hundred and fifty requests at a time', () => {
  it('never write a log line or a span as another, whatever they wait for', () => expectNoneMixedUp(150));
});
