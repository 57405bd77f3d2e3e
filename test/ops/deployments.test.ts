import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from '../../ops/names/expressions.ts';
import { DEFINITIONS } from '../../src/core/config/settings-table.ts';

const SETTINGS = new Set(DEFINITIONS.flatMap(({ env }) => [env, `${env}_FILE`]));
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const isKnown = (name: string) => SETTINGS.has(name) || /^(OTEL_|POD_)/.test(name);

// biome-ignore lint/suspicious/noExplicitAny: manifests of many kinds, and each test says what it expects of them
type Manifest = any;

describe('ops/compose.yaml', () => {
  const text = read('ops/compose.yaml');
  const { services } = parse(text) as { services: Record<string, Manifest> };

  it('sets settings of Okapi that there are', () => {
    expect(Object.keys(services['okapi'].environment).filter((name) => !isKnown(name))).to.deep.equal([]);
  });

  it('holds no secret: each comes from a variable that must be set, and that the example names', () => {
    const example = read('ops/compose.env.example');
    const named = [...example.matchAll(/^(\w+)=/gm)].map(([, name]) => name ?? '');
    const required = [...text.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name ?? '');
    expect(named).to.include.members(required);
    for (const name of required) expect(example, name).to.match(new RegExp(`^${name}=$`, 'm'));
    expect(text).not.to.match(/(PASSWORD|KEY)\w*: (?!\$)/);
  });

  it('pins every image and publishes on this machine alone', () => {
    for (const [name, { image, ports = [] }] of Object.entries(services)) {
      if (image !== undefined) expect(image, name).to.match(/:v?\d+\.\d+/);
      for (const port of ports) expect(port, name).to.match(/^127\.0\.0\.1:/);
    }
  });

  it('mounts files that are there', () => {
    const mounted = Object.values(services).flatMap(({ volumes = [] }) => volumes as string[]);
    for (const file of mounted.filter((each) => each.startsWith('.')).map((each) => each.split(':')[0] ?? '')) {
      expect(globSync(file, { cwd: join(ROOT, 'ops') }), file).to.have.length(1);
    }
  });

  it('gives Okapi longer to stop than it takes', () => {
    expect(Number.parseInt(services['okapi'].stop_grace_period, 10)).to.be.greaterThan(longestStopSeconds());
  });
});

describe('ops/kubernetes', () => {
  const files = globSync('ops/kubernetes/*.yaml', { cwd: ROOT });
  const manifests = files.flatMap((file) => parseAllDocuments(read(file)).map((each) => each.toJS() as Manifest));
  const find = (kind: string) => manifests.find((each) => each.kind === kind);
  const pods = manifests.filter(({ kind }) => kind === 'Deployment' || kind === 'Job').map(({ spec }) => spec.template);
  const { spec: deployment } = find('Deployment').spec.template;
  const [container] = deployment.containers;

  it('lists every manifest but the example', () => {
    const listed = find('Kustomization').resources.map((file: string) => `ops/kubernetes/${file}`);
    const others = ['kustomization', 'secret.example'].map((name) => `ops/kubernetes/${name}.yaml`);
    expect([...listed, ...others].sort()).to.deep.equal([...files].sort());
  });

  it('sets settings of Okapi that there are', () => {
    const names = [...Object.keys(find('ConfigMap').data), ...container.env.map(({ name }: { name: string }) => name)];
    expect(names.filter((name) => !isKnown(name))).to.deep.equal([]);
  });

  it('mounts every secret that a pod reads', () => {
    const keys = Object.keys(find('Secret').stringData);
    for (const { spec } of pods) {
      const asked = spec.containers[0].env.flatMap(({ name, value }: { name: string; value?: string }) =>
        name.endsWith('_FILE') ? [value?.split('/').at(-1)] : [],
      );
      expect(asked).to.have.members(keys);
    }
  });

  it('lets no pod write, run as root, or gain privileges', () => {
    for (const { spec } of pods) {
      expect(spec.securityContext).to.include({ runAsNonRoot: true });
      for (const each of spec.containers) {
        expect(each.securityContext).to.deep.include({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(each.resources.limits).to.have.property('memory');
      }
    }
  });

  it('asks the process whether it lives, and its stores only whether it is ready', () => {
    const path = (probe: string) => container[probe].httpGet.path;
    expect(['startupProbe', 'livenessProbe', 'readinessProbe'].map(path)).to.deep.equal([
      '/health/live',
      '/health/live',
      '/health/ready',
    ]);
  });

  it('notices that a pod is not ready before the listener closes', () => {
    const { periodSeconds, failureThreshold } = container.readinessProbe;
    expect(periodSeconds * failureThreshold * 1000).to.be.lessThan(Number(find('ConfigMap').data.SHUTDOWN_DELAY_MS));
  });

  it('gives a pod longer to stop than it takes', () => {
    expect(deployment.terminationGracePeriodSeconds).to.be.greaterThan(longestStopSeconds());
  });

  it('selects its pods by the labels that they have', () => {
    const { labels } = find('Deployment').spec.template.metadata;
    for (const selector of [
      find('Deployment').spec.selector.matchLabels,
      find('Service').spec.selector,
      find('PodDisruptionBudget').spec.selector.matchLabels,
      find('NetworkPolicy').spec.podSelector.matchLabels,
    ]) {
      expect(labels).to.include(selector);
    }
  });
});

/** Delay and grace as set for production, and what stores and telemetry are given to close. */
function longestStopSeconds(): number {
  const CLOSING_SECONDS = 8;
  return 5 + 10 + CLOSING_SECONDS;
}
