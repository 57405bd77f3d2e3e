import { CommandError } from './command-error.ts';
import { decodeTyped, encode, type Fields, isFields } from './documents.ts';

/** The fields to keep or to leave out, as a tree. */
interface Tree {
  [field: string]: Tree | true;
}

/**
 * Prepares a projection: documents in, documents out, as bytes; what stays keeps its BSON type and its place.
 * @returns `undefined` when everything is wanted.
 * @throws CommandError `BadValue` for expressions, `$slice`, `$elemMatch` and the positional `$`, which are not supported.
 */
export function compileProjection(given: unknown): ((body: Uint8Array) => Uint8Array) | undefined {
  if (given === undefined || (isFields(given) && Object.keys(given).length === 0)) return undefined;
  if (!isFields(given)) throw new CommandError('TypeMismatch', 'a projection must be a document');
  const { _id, ...others } = flags(given);
  const modes = new Set(Object.values(others));
  if (modes.size > 1) throw new CommandError('BadValue', 'Cannot do exclusion and inclusion in one projection');
  const include = modes.has(true) || (modes.size === 0 && _id === true);
  const tree = toTree(Object.keys(others));
  if (include ? _id !== false : _id === false) tree['_id'] = true;
  return (body) => encode((include ? keep : omit)(decodeTyped(body), tree));
}

function flags(given: Fields): Record<string, boolean> {
  return Object.fromEntries(
    Object.entries(given).map(([path, value]) => {
      const isFlag = typeof value === 'boolean' || typeof value === 'number';
      if (!isFlag || path.split('.').some((part) => part === '' || part.startsWith('$'))) {
        throw new CommandError(
          'BadValue',
          `the projection of ${JSON.stringify(path)} is not supported by the embedded server`,
        );
      }
      return [path, Boolean(value)];
    }),
  );
}

function toTree(paths: readonly string[]): Tree {
  const root: Tree = {};
  for (const path of paths) {
    const parts = path.split('.');
    const last = parts.pop() ?? path;
    let node = root;
    for (const part of parts) {
      const child = node[part] ?? {};
      if (child === true) throw collision(path);
      node[part] = child;
      node = child;
    }
    if (node[last] !== undefined) throw collision(path);
    node[last] = true;
  }
  return root;
}

function collision(path: string): CommandError {
  return new CommandError('BadValue', `Path collision at ${path}`);
}

function keep(document: Fields, tree: Tree): Fields {
  const kept: Fields = {};
  for (const [name, value] of Object.entries(document)) {
    const below = Object.hasOwn(tree, name) ? tree[name] : undefined;
    if (below === true) kept[name] = value;
    else if (below && isFields(value)) kept[name] = keep(value, below);
    else if (below && Array.isArray(value)) kept[name] = elements(value, (item) => keep(item, below), false);
  }
  return kept;
}

function omit(document: Fields, tree: Tree): Fields {
  const kept: Fields = {};
  for (const [name, value] of Object.entries(document)) {
    const below = Object.hasOwn(tree, name) ? tree[name] : undefined;
    if (below === true) continue;
    if (below && isFields(value)) kept[name] = omit(value, below);
    else if (below && Array.isArray(value)) kept[name] = elements(value, (item) => omit(item, below), true);
    else kept[name] = value;
  }
  return kept;
}

/** Arrays are entered; what is no document in them is left out by an inclusion and stays in an exclusion. */
function elements(items: readonly unknown[], change: (item: Fields) => Fields, keepOthers: boolean): unknown[] {
  return items.flatMap((item) => {
    if (isFields(item)) return [change(item)];
    if (Array.isArray(item)) return [elements(item, change, keepOthers)];
    return keepOthers ? [item] : [];
  });
}
