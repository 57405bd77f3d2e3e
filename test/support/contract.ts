import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { readSettings } from '../../src/core/config/index.ts';
import { openApiDocument } from '../../src/core/http/openapi/document.ts';
import { mountedRoutes } from '../../src/core/http/router.ts';
import { DOMAIN_SETTINGS } from '../../src/domains/settings.ts';
import type { Answer } from './client.ts';
import { declaredRouters } from './declared-routes.ts';

// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document, of which only what is looked at matters
type Document = any;
type Response = { content?: Record<string, { schema?: object }> };
type Given = Pick<Answer, 'status' | 'headers' | 'text' | 'body'>;

export type Contract = {
  /** Throws, naming route and status, when an answer is not one that its route declares. */
  assertDeclared(method: string, path: string, answer: Given): void;
};

/** Answers that the core gives where no route has matched. */
const WITHOUT_ROUTE = new Set([400, 404, 405, 408, 413, 417, 429, 431, 500, 503]);

/** What the routes of a document promise: which statuses, and what their bodies look like. */
export function createContract(document: Document): Contract {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema({ ...document, $id: 'document:' });
  const templates = Object.keys(document.paths).sort((a, b) => Number(a.includes('{')) - Number(b.includes('{')));
  const patterns = templates.map((template): [string, RegExp] => [
    template,
    new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
  ]);

  /** The declared answer and its JSON pointer; `undefined` where no route has the path and method. */
  function findResponse(method: string, path: string, status: number): [Response, string] | undefined {
    const template = patterns.find(([, pattern]) => pattern.test(path))?.[0];
    const operation = template === undefined ? undefined : document.paths[template][method];
    if (template === undefined || operation === undefined) return undefined;
    const response = operation.responses[status];
    if (response === undefined) {
      throw new Error(`${method.toUpperCase()} ${template} answered ${status}, which its route does not declare`);
    }
    if (response.$ref === undefined) return [response, pointer('paths', template, method, 'responses', String(status))];
    const [, , section, name] = response.$ref.split('/');
    return [document.components[section][name], response.$ref];
  }

  return {
    assertDeclared(sent, path, { status, headers, text, body }) {
      const method = sent === 'HEAD' ? 'get' : sent.toLowerCase();
      if (method === 'options') return;
      const name = `${sent} ${path}, answered with ${status},`;
      const [response, place] = findResponse(method, path, status) ?? [];
      if (response === undefined && !WITHOUT_ROUTE.has(status)) throw new Error(`${name} is no declared route`);
      if (sent === 'HEAD') return;
      const type = (headers.get('content-type') ?? '').split(';')[0] ?? '';
      const content = response === undefined ? { 'application/problem+json': {} } : response.content;
      if (content === undefined) {
        if (text !== '') throw new Error(`${name} has a body, but its route declares none: ${text.slice(0, 500)}`);
        return;
      }
      const declared = Object.keys(content).find((each) => each.split(';')[0] === type);
      if (declared === undefined) throw new Error(`${name} is ${type}, but declared as ${Object.keys(content)}`);
      if (place !== undefined && content[declared]?.schema === undefined) return;
      const schema =
        place === undefined ? '#/components/schemas/Problem' : `${place}${pointer('content', declared, 'schema')}`;
      const validate = ajv.getSchema(`document:${schema.replace(/^(?!#)/, '#')}`);
      if (validate === undefined) throw new Error(`${name} has a schema that cannot be compiled: ${schema}`);
      if (!validate(body)) {
        throw new Error(`${name} is not as its route declares: ${ajv.errorsText(validate.errors)} in ${text}`);
      }
    },
  };
}

function pointer(...segments: readonly string[]): string {
  return segments.map((each) => `/${encodeURIComponent(each.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');
}

const byOrigin = new Map<string, Record<string, string | undefined>>();
const contracts = new Map<string, Contract>();

/** From now on every answer from `origin` is held against what the routes of a service with this environment declare. */
export function holdToContract(origin: string, env: Record<string, string | undefined>): void {
  byOrigin.set(origin, env);
}

/** Throws when an answer of a service is not one that its route declares. Other servers may answer as they like. */
export function assertContract(method: string, url: string | URL, answer: Given): void {
  const { origin, pathname } = new URL(url);
  const env = byOrigin.get(origin);
  if (env === undefined) return;
  const settings = readSettings(env, {}, DOMAIN_SETTINGS);
  // Of all settings only these decide which routes there are.
  const key = `${settings.docsEnabled} ${settings.operationsSwitches}`;
  const contract = contracts.get(key) ?? createContract(documentOf(settings));
  contracts.set(key, contract);
  contract.assertDeclared(method, pathname, answer);
}

function documentOf(settings: ReturnType<typeof readSettings>): Document {
  return openApiDocument(mountedRoutes(declaredRouters(settings)), settings);
}
