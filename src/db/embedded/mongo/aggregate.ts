import { Decimal128, Long, Timestamp } from 'bson';
import { asBadValue, CommandError } from './command-error.ts';
import { decodeNumeric, encode, type Fields, isFields } from './documents.ts';
import { compileFilter, type Filter } from './filter.ts';
import { toInteger } from './numbers.ts';
import { type Order, parseOrder } from './sort.ts';

const STAGES = new Set([
  ...['$match', '$sort', '$skip', '$limit', '$project', '$group', '$count', '$unwind', '$addFields', '$set', '$unset'],
  ...['$sortByCount', '$replaceRoot', '$replaceWith'],
]);
/** Stages of MongoDB that the embedded server does not have. */
const REFUSED =
  /^\$(out|merge|lookup|unionWith|graphLookup|facet|bucket|bucketAuto|sample|setWindowFields|densify|fill|redact|geoNear|search|vectorSearch|collStats|indexStats|documents)$/;

type Stage = readonly [name: string, operand: unknown];

/** A pipeline, split into what a search can do and what has to be computed from its documents. */
export interface Pipeline {
  filter: Filter;
  order: Order;
  skip: number;
  /** 0: no limit. */
  limit: number;
  /** Whether anything is left for `compute`. */
  computes: boolean;
  compute(bodies: Iterable<Uint8Array>): Promise<Uint8Array[]>;
}

/**
 * Prepares a pipeline, decoded by `decode`.
 * @throws CommandError with MongoDB's codes for unknown stages and change streams, `CommandNotSupported` for stages that
 * only the real server has.
 */
export function compilePipeline(given: unknown): Pipeline {
  if (!Array.isArray(given) || !given.every(isFields))
    throw new CommandError('TypeMismatch', 'a pipeline must be an array of documents');
  const stages = given.map(toStage);
  const take = (name: string) => (stages[0]?.[0] === name ? stages.shift()?.[1] : undefined);
  const filter = compileFilter(take('$match'));
  const order = parseOrder(take('$sort'));
  const skip = take('$skip');
  const limit = take('$limit');
  return {
    filter,
    order,
    skip: skip === undefined ? 0 : toInteger(skip, '$skip'),
    limit: limit === undefined ? 0 : toInteger(limit, '$limit', 1),
    computes: stages.length > 0,
    compute: async (bodies) => {
      // The library is only loaded when it is needed: it takes a tenth of a second.
      const { runStages } = await import('./aggregate-stages.ts');
      const documents = Array.from(bodies, decodeForComputing);
      return asBadValue(() => runStages(stages, documents)).map((document) => encode(idFirst(document)));
    },
  };
}

function toStage(stage: Fields): Stage {
  const [name = '', ...others] = Object.keys(stage);
  if (others.length > 0 || name === '')
    throw new CommandError('Location40324', 'a pipeline stage must have exactly one field');
  if (name === '$changeStream') {
    throw new CommandError('Location40573', 'The $changeStream stage is only supported on replica sets');
  }
  if (REFUSED.test(name))
    throw new CommandError('CommandNotSupported', `${name} is not supported by the embedded server`);
  if (!STAGES.has(name)) throw new CommandError('Location40324', `Unrecognized pipeline stage name: '${name}'`);
  return [name, stage[name]];
}

/** @throws CommandError `BadValue` for numbers with which the library would compute something else, or nothing. */
function decodeForComputing(body: Uint8Array): Fields {
  const document = decodeNumeric(body);
  refuseLargeNumbers(document);
  return document;
}

function refuseLargeNumbers(value: unknown): void {
  if ((value instanceof Long && !(value instanceof Timestamp)) || value instanceof Decimal128) {
    throw new CommandError(
      'BadValue',
      'the embedded server does not aggregate documents with integers over 2^53 or Decimal128',
    );
  }
  if (Array.isArray(value)) value.forEach(refuseLargeNumbers);
  else if (isFields(value)) Object.values(value).forEach(refuseLargeNumbers);
}

function idFirst(document: Fields): Fields {
  return Object.hasOwn(document, '_id') ? { _id: document['_id'], ...document } : document;
}
