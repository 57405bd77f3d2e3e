import { expect } from 'chai';
import { useServices } from '../support/use-services.ts';
import { breakMongo } from './outbox-faults.ts';
import { killBetween } from './outbox-kills.ts';

/* The short forms are in outbox.test.ts. */
describe('kill -9 of a service that is signed in to, fifty times', () => {
  const { start } = useServices();

  it('loses no event and doubles none', async () => {
    expect(await killBetween(start, 50)).to.be.at.least(25);
  });
});

describe('Mongo that hangs, is killed and comes back ten times while people sign in', () => {
  const { start } = useServices();

  it('is noticed by nobody who signs in, and has each event once and in order in the end', () => breakMongo(start, 10));
});
