import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import type { Service, ServiceOptions } from '../support/service.ts';
import { openSharedStores, startSigningIn } from './outbox-harness.ts';

/**
 * Kills a service `times` times while three people sign in, every other time while Mongo hangs, so that what it has
 * committed is certainly not delivered; starts it again, and expects in the end that each event is in Mongo once and in
 * order. Resolves to how many kills left something to deliver.
 */
export async function killBetween(
  start: (options: ServiceOptions) => Promise<Service>,
  times: number,
): Promise<number> {
  const stores = await openSharedStores();
  let service = await start(stores.options);
  let url: string | Promise<string> = service.url;
  const people = Array.from({ length: 3 }, () => startSigningIn(() => url));
  const signedIn = () => people.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  let between = 0;
  try {
    for (let kill = 0; kill < times; kill++) {
      if (kill % 2 === 1) stores.mongo.signal('SIGSTOP');
      const from = signedIn();
      await eventually(() => signedIn() > from + 3);
      const next = Promise.withResolvers<string>();
      url = next.promise;
      await service.kill();
      if ((await stores.written()).some(({ isDelivered }) => !isDelivered)) between++;
      service = await start(stores.options);
      stores.mongo.signal('SIGCONT');
      next.resolve(service.url);
    }
    await Promise.all(people.map((person) => person.stop()));
    const rows = await stores.expectDeliveredOnce();
    // What was answered is there; so is what was committed and not answered, and nothing else.
    const sessions = await stores.database.query<{ id: string }>({ text: 'select id from sessions' });
    expect(rows.filter(({ type }) => type === 'auth.signed_in')).to.have.length(sessions.length);
    const ids = new Set(sessions.map(({ id }) => id));
    for (const { acknowledged } of people) {
      expect(acknowledged.filter((id) => !ids.has(id))).to.deep.equal([]);
    }
    expect(await service.stop()).to.deep.equal({ code: 0, signal: null });
    expect(service.logLines('error')).to.deep.equal([]);
    return between;
  } finally {
    for (const person of people) void person.stop();
    await stores.close();
  }
}
