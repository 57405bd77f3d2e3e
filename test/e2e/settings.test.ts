import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { copyCheckout } from '../support/checkout.ts';
import { request } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { temporaryFolder } from '../support/service.ts';
import { useServices } from '../support/use-services.ts';

const SECRET = 'only-the-receiver-knows';
const NOTES = `
import { domainSettings, integer, optionalText } from '../../core/config/index.ts';

export const notesSettings = domainSettings('notes', {
  maxLength: integer('NOTES_MAX_LENGTH', { description: 'Longest note', default: 10_000, min: 1, max: 100_000 }),
  hookSecret: optionalText('NOTES_HOOK_SECRET', { description: 'Signs what is sent out', secret: true }),
});
`;
const LISTED = `
import { notesSettings } from './sample-notes/settings.ts';

export const DOMAIN_SETTINGS = [notesSettings];
`;

describe('a domain that contributes settings', () => {
  const { run } = useServices();
  let root: string;
  before(() => {
    root = copyCheckout(join(temporaryFolder(), 'checkout'));
    mkdirSync(join(root, 'src', 'domains', 'sample-notes'));
    writeFileSync(join(root, 'src', 'domains', 'sample-notes', 'settings.ts'), NOTES);
    writeFileSync(join(root, 'src', 'domains', 'settings.ts'), LISTED);
    writeFileSync(join(root, 'hook-secret'), `${SECRET}\n`);
    writeFileSync(join(root, '.env'), 'NOTES_MAX_LENGTH=50\nOTEL_EXPORTER_OTLP_HEADERS=api-key=not-to-be-shown\n');
  });

  it('finds them in npm run config, each with where it came from, and no secret', async () => {
    const env = { NOTES_HOOK_SECRET_FILE: 'hook-secret' };
    const { code, stdout } = await run({ cwd: root, command: ['npm', 'run', '--silent', 'config'], env });
    expect(code).to.equal(0);
    expect(stdout).to.match(
      /^Domain: notes\n {2}NOTES_MAX_LENGTH +50 +\.env\n {2}NOTES_HOOK_SECRET +•••• \(23 bytes\) +file$/m,
    );
    expect(stdout).to.match(/^OpenTelemetry\n {2}OTEL_EXPORTER_OTLP_HEADERS +•••• \(23 bytes\) +\.env$/m);
    expect(stdout).not.to.contain(SECRET).and.not.to.contain('not-to-be-shown');
  });

  it('stops the start on a wrong one, in the same lines as the core', async () => {
    const { code, stdout, stderr } = await run({ cwd: root, env: { NOTES_MAX_LENGTH: '0', PORT: 'http' } });
    expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' });
    expect(stderr).to.equal(
      'okapi: PORT must be a whole number from 0 to 65535, not "http"\n' +
        'okapi: NOTES_MAX_LENGTH must be a whole number from 1 to 100000, not 0\n',
    );
  });
});

describe('.env', () => {
  const { start } = useServices();

  it('may say with the variables of OpenTelemetry where telemetry goes', async () => {
    const receiver = await startOtlpReceiver();
    try {
      const root = copyCheckout(join(temporaryFolder(), 'checkout'));
      const variables = [`OTEL_EXPORTER_OTLP_ENDPOINT=${receiver.url}`, 'OTEL_SERVICE_NAME=from-dot-env'];
      writeFileSync(join(root, '.env'), variables.join('\n'));
      const service = await start({ cwd: root, env: { OTEL_BSP_SCHEDULE_DELAY: '50' } });
      const { body } = await request(`${service.url}/`);
      await eventually(() => receiver.spans.some(({ traceId }) => traceId === body.meta.trace_id));
      expect(service.logLines().map((line) => (line['service'] as { name: string }).name)).to.include('from-dot-env');
      await service.stop();
    } finally {
      await receiver.close();
    }
  });
});
