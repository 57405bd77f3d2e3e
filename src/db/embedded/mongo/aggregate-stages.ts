import { Long, Timestamp } from 'bson';
import { Aggregator } from 'mingo/aggregator';
import { Context } from 'mingo/core';
import { type Iterator, Lazy } from 'mingo/lazy';
import {
  $addToSet,
  $avg,
  $count as $countAccumulator,
  $first,
  $last,
  $max,
  $min,
  $push,
  $sum,
} from 'mingo/operators/accumulator';
import * as arithmetic from 'mingo/operators/expression/arithmetic';
import * as boolean from 'mingo/operators/expression/boolean';
import * as comparison from 'mingo/operators/expression/comparison';
import * as conditional from 'mingo/operators/expression/conditional';
import * as date from 'mingo/operators/expression/date';
import * as string from 'mingo/operators/expression/string';
import * as pipeline from 'mingo/operators/pipeline';
import type { Fields } from './documents.ts';
import { compileFilter } from './filter.ts';
import { parseOrder, sortKey } from './sort.ts';

/** The library's stages, but for those that compare values otherwise than MongoDB does, and a count of nothing. */
const context = Context.init({
  pipeline: {
    ...pipeline,
    $match: (documents: Iterator, condition: unknown, _options?: unknown) => {
      const filter = compileFilter(condition);
      return documents.filter((document) => filter.test(document as Fields));
    },
    $count: (documents: Iterator, name: unknown, _options?: unknown) =>
      documents.transform((all) => Lazy(all.length > 0 ? [{ [String(name)]: all.length }] : [])),
    $sort: (documents: Iterator, specification: unknown, _options?: unknown) =>
      documents.transform((all) => Lazy(sort(all as Fields[], specification))),
  },
  accumulator: { $addToSet, $avg, $count: $countAccumulator, $first, $last, $max, $min, $push, $sum },
  expression: { ...arithmetic, ...boolean, ...comparison, ...conditional, ...date, ...string },
});

/** Runs stages over documents that `decodeNumeric` gave. Throws the library's errors. */
export function runStages(
  stages: ReadonlyArray<readonly [name: string, operand: unknown]>,
  documents: Fields[],
): Fields[] {
  const specification = stages.map(([name, operand]) => ({ [name]: promote(operand) }));
  return new Aggregator(specification, { context, scriptEnabled: false }).run<Fields>(documents);
}

function sort(documents: Fields[], specification: unknown): Fields[] {
  const order = parseOrder(specification);
  return documents
    .map((document) => ({ document, key: sortKey(document, order) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ document }) => document);
}

/** Numbers in a pipeline as numbers, also those that came as 64-bit integers. */
function promote(value: unknown): unknown {
  if (value instanceof Long && !(value instanceof Timestamp)) return value.toNumber();
  if (Array.isArray(value)) return value.map(promote);
  if (typeof value !== 'object' || value === null || value.constructor !== Object) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, promote(item)]));
}
