import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import type { Service, ServiceOptions } from '../support/service.ts';
import { openSharedStores, startSigningIn } from './outbox-harness.ts';

/**
 * Lets the Mongo of two services hang, go on, be killed and come back, `rounds` times, while people sign in at both.
 * Expects that nobody notices, that no service says twice that it waits before it has delivered again, and that each
 * event is there once and in order in the end.
 */
export async function breakMongo(start: (options: ServiceOptions) => Promise<Service>, rounds: number): Promise<void> {
  const stores = await openSharedStores();
  try {
    const services = [await start(stores.options), await start(stores.options)];
    const people = Array.from({ length: 4 }, (_, n) => startSigningIn(() => services[n % 2]?.url ?? ''));
    const signedIn = () => people.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
    const go = (more: number) => {
      const from = signedIn();
      return eventually(() => signedIn() >= from + more);
    };
    const isDelivered = async () => (await stores.written()).some((each) => each.isDelivered);
    await go(10);
    for (let round = 0; round < rounds; round++) {
      stores.mongo.signal('SIGSTOP');
      await go(20);
      stores.mongo.signal('SIGCONT');
      await go(10);
      await stores.mongo.kill();
      await go(20);
      await stores.mongo.restart();
      await go(10);
      await eventually(isDelivered);
    }
    await Promise.all(people.map((person) => person.stop()));
    expect(people.map((person) => person.refused())).to.deep.equal([0, 0, 0, 0]);
    const rows = await stores.expectDeliveredOnce();
    expect(rows.filter(({ type }) => type === 'auth.signed_in')).to.have.length(signedIn());
    for (const service of services) {
      expect(await service.stop()).to.deep.equal({ code: 0, signal: null });
      expect(service.logLines('error')).to.deep.equal([]);
      const said = service
        .logLines()
        .flatMap(({ message }) => /^The outbox (waits|is delivered again)/.exec(message)?.[1] ?? []);
      expect(said).to.deep.equal(said.map((_line, n) => (n % 2 === 0 ? 'waits' : 'is delivered again')));
    }
  } finally {
    await stores.close();
  }
}
