import { expect } from 'chai';
import { useServices } from '../support/use-services.ts';
import { killBetween } from './outbox-kills.ts';

describe('kill -9 of a service that is signed in to, fifty times', () => {
  const { start } = useServices();

  it('loses no event and doubles none', async () => {
    expect(await killBetween(start, 50)).to.be.at.least(25);
  });
});
