import { context, type Exception, SpanStatusCode, trace } from '@opentelemetry/api';
import { Carrier, contextWith } from '../context.ts';
import { exceptionTypeOf } from '../errors/exception-type.ts';
import { backgroundJobDuration, backgroundJobFailures, backgroundJobRuns } from '../telemetry/metrics/metrics.ts';
import type { Verdict } from '../telemetry/spans/job-span.ts';
import { endJobSpan, startJobSpan } from '../telemetry/spans/tracing.ts';

/** A run that resolves to 0 found nothing to do, one that resolves to more did; of any other, what it did tells. */
const verdictOf = (result: unknown) => (typeof result === 'number' ? result > 0 : undefined);

const JOB_NAME = /^[a-z][a-z0-9_]{0,63}$/;

/** An async function or method with its `this`, arguments and result. */
type AsyncFunction<This, Args extends unknown[], Result> = (this: This, ...args: Args) => Promise<Result>;

/**
 * Makes runs of an async function visible as `background_job_*{job_name="<name>"}`: how many, how many rejected, how long
 * they took. Each run has a context of its own, outside of any request, whose carrier names the job, and is a trace if it
 * had something to do: it failed, resolved to a number above 0, or changed something (rows, documents, another server).
 * A run that resolves to 0 leaves none.
 *
 * Use it as a wrapper, `trackBackgroundJob('send_emails')(sendEmails)`, or as a standard decorator of a method. The
 * function keeps its type, and its result or rejection is handed on unchanged. The three series are there, at 0, as soon
 * as the job has a name.
 *
 * Throws a `TypeError` for a name that does not match `[a-z][a-z0-9_]{0,63}` and where it decorates what is no method.
 */
export function trackBackgroundJob(name: string) {
  if (typeof name !== 'string' || !JOB_NAME.test(name)) {
    throw new TypeError(`${JSON.stringify(name)} is not a job name: it must match ${JOB_NAME.source}`);
  }
  const labels = { job_name: name };
  const runs = backgroundJobRuns.labels(labels);
  const failures = backgroundJobFailures.labels(labels);
  const duration = backgroundJobDuration.labels(labels);

  return function track<This, Args extends unknown[], Result>(
    job: AsyncFunction<This, Args, Result>,
    decorated?: ClassMethodDecoratorContext,
  ): AsyncFunction<This, Args, Result> {
    if (typeof job !== 'function' || (decorated !== undefined && decorated.kind !== 'method')) {
      throw new TypeError(`trackBackgroundJob('${name}') wraps an async function or decorates a method`);
    }
    async function tracked(this: This, ...args: Args): Promise<Result> {
      const carrier = new Carrier();
      carrier.jobName = name;
      const startedAt = performance.now();
      const span = startJobSpan(name, trace.getActiveSpan()?.spanContext());
      let hadWork: Verdict = true;
      runs.inc();
      try {
        const result = await context.with(contextWith(carrier, span), () => job.apply(this, args));
        hadWork = verdictOf(result);
        return result;
      } catch (error) {
        failures.inc();
        span?.recordException(error as Exception);
        span?.setStatus({ code: SpanStatusCode.ERROR });
        span?.setAttribute('error.type', exceptionTypeOf(error));
        throw error;
      } finally {
        if (span !== undefined) endJobSpan(span, hadWork);
        duration.observe((performance.now() - startedAt) / 1000);
      }
    }
    // Stack traces and profiles show the job, not its wrapper.
    return Object.defineProperty(tracked, 'name', { value: job.name, configurable: true });
  };
}
