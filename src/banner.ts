import type { Settings } from './core/config/index.ts';

/** What a person who starts the service sees: where it is, where its data and logs are, and what to try first. */
export function banner(settings: Settings, port: number, embedded: readonly string[]): string {
  const host = settings.host === '0.0.0.0' || settings.host === '::' ? 'localhost' : settings.host;
  const url = `http://${host === '127.0.0.1' ? 'localhost' : host}:${port}`;
  const metrics =
    settings.metricsPort === undefined ? `${url}/metrics` : `http://${host}:${settings.metricsPort}/metrics`;
  const stores =
    embedded.length === 0 ? 'as configured' : `${embedded.join(' and ')} embedded, in ${settings.dataDir}/`;
  const rows = [
    ['API', `${url}/api`],
    ...(settings.docsEnabled ? [['Docs', `${url}/docs`]] : []),
    ['Metrics', metrics],
    ['Health', `${url}/health`],
    ['Stores', stores],
    ['Logs', settings.logFiles ? `${settings.logDir}/app.json` : 'console only'],
  ];
  const example = `curl -s -X POST ${url}/api/auth/register -H 'Content-Type: application/json' -d '{"email":"ada@example.org","password":"correct horse battery"}'`;
  return [
    '',
    `  ${settings.projectName} ${settings.projectVersion} (${settings.environment}) is ready`,
    '',
    ...rows.map(([label, value]) => `  ${label?.padEnd(8)} ${value}`),
    '',
    '  Try it:',
    '',
    `  ${example}`,
    '',
  ].join('\n');
}
