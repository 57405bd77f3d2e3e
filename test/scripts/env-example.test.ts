import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect } from 'chai';
import { renderEnvExample } from '../../scripts/env-example.ts';
import { listAllSettings, readSettings } from '../../src/core/config/index.ts';
import { DOMAIN_SETTINGS } from '../../src/domains/settings.ts';
import { ROOT } from '../support/service.ts';

describe('.env.example', () => {
  const text = readFileSync(join(ROOT, '.env.example'), 'utf8');

  it('is what node scripts/env-example.ts writes today', () => {
    expect(text === renderEnvExample(), 'run "node scripts/env-example.ts" and commit .env.example').to.equal(true);
  });

  it('names every setting once and sets none of them', () => {
    const named = [...text.matchAll(/^#([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name);
    expect(named).to.deep.equal(listAllSettings(DOMAIN_SETTINGS).map(({ env }) => env));
    expect(parseEnv(text)).to.deep.equal({});
  });

  it('changes nothing when its values are taken as they stand', () => {
    // Parts of a connection are refused without a host, so both sides have one.
    const host = { POSTGRES_HOST: 'localhost' };
    const { origins: _, ...settings } = readSettings(host, parseEnv(text.replace(/^#(?=[A-Z][A-Z0-9_]*=)/gm, '')));
    const { origins: __, ...defaults } = readSettings(host);
    expect(settings).to.deep.equal(defaults);
  });
});
