import type { Context } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace';
import { undecidedJobOf } from './spans/job-span.ts';

/** Commands of MongoDB that change nothing. */
const READS = new Set(
  'aggregate count distinct find getMore hello killCursors listCollections listIndexes ping'.split(' '),
);

/**
 * Hands the SDK's spans on to `processor`, those of a background job once it is known that its run had something to do.
 * A span counts as that unless it is a read from MongoDB.
 */
export function heldForJob(processor: SpanProcessor): SpanProcessor {
  return {
    onStart(span: Span, parentContext: Context) {
      processor.onStart(span, parentContext);
    },
    onEnd(span: ReadableSpan) {
      const job = undecidedJobOf(span.spanContext().traceId);
      if (job === undefined) processor.onEnd(span);
      else job.hold(() => processor.onEnd(span), !isRead(span));
    },
    forceFlush: () => processor.forceFlush(),
    shutdown: () => processor.shutdown(),
  };
}

function isRead({ attributes }: ReadableSpan): boolean {
  return attributes['db.system.name'] === 'mongodb' && READS.has(String(attributes['db.operation.name']));
}
