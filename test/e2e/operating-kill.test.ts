import { join } from 'node:path';
import { expect } from 'chai';
import { post, request } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load.ts';
import { expectNoneLeft, processesOf } from '../support/processes.ts';
import { SERVICE_COMMAND } from '../support/service.ts';
import { useServices } from '../support/use-services.ts';

describe('kill -9 of a service with embedded stores', () => {
  const { start, run } = useServices();

  it('ends its stores too, and loses no registration that was acknowledged', async () => {
    const service = await start({ stores: 'embedded', env: { RATE_LIMIT_ENABLED: 'false' } });
    const { dataDir } = service;

    const second = await run({ stores: 'embedded', env: { DATA_DIR: dataDir } });
    expect(second.stderr).to.match(/^okapi: DATA_DIR \(.+\) is in use by another instance: .* set DATA_DIR .*\n$/);
    expect(second.code).to.equal(1);
    await expectNoneLeft(second.service.folder);

    const load = startLoad(service.url, 10);
    await eventually(() => load.registered.length >= 40);
    await service.kill();
    await eventually(() => processesOf(dataDir).length === 0);
    await load.ended;

    const next = await start({ stores: 'embedded', env: { DATA_DIR: dataDir } });
    expect(next.stderr()).not.to.match(/ERROR|WARNING (?!app\.http\.cors)/);
    for (const who of load.registered) {
      expect((await post(`${next.url}/api/auth/login`, who)).status, who.email).to.equal(200);
    }
    expect(await next.stop()).to.deep.equal({ code: 0, signal: null });
    await expectNoneLeft(dataDir);
  });
});

describe('an error that nobody takes care of', () => {
  const { start } = useServices();
  const [node = '', ...args] = SERVICE_COMMAND;
  const command = [node, '--import', join(import.meta.dirname, '..', 'support', 'crash-on-signal.ts'), ...args];

  for (const [name, signal, message] of [
    ['an uncaught exception', 'SIGUSR2', 'nobody catches this'],
    ['an unhandled rejection', 'SIGCONT', 'nobody handles this'],
  ] as const) {
    it(`ends the process with 1 once ${name} is on disk with its stack`, async () => {
      const service = await start({ command });
      const answer = await request(`${service.url}/api/nope`);
      expect(await service.stop(signal)).to.deep.equal({ code: 1, signal: null });
      const lines = service.logLines();
      expect(lines.some((line) => line['request_id'] === answer.body.meta.request_id)).to.equal(true);
      const last = lines.at(-1);
      expect(last).to.include({ level: 'ERROR', logger: 'app.process' });
      expect(last?.['exception']).to.include({ type: 'Error', message });
      expect(last?.['exception']).to.have.property('stack').that.contains('crash-on-signal.ts:');
      expect(service.logLines('error').at(-1)?.['exception']).to.deep.equal(last?.['exception']);
      await expectNoneLeft(service.folder);
    });
  }
});
