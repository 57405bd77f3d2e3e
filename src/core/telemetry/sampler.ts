import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import type { Account } from './ledger.ts';

/**
 * The sampler that `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` name, `parentbased_always_on` by default, as the
 * OpenTelemetry specification has it: a ratio outside 0 to 1 or missing counts as 1, an unknown name as the default.
 */
export function samplerFromEnvironment(env: Readonly<Record<string, string | undefined>> = process.env): Sampler {
  const text = env['OTEL_TRACES_SAMPLER_ARG'];
  const given = text === undefined || text === '' ? Number.NaN : Number(text);
  const ratio = given >= 0 && given <= 1 ? given : 1;
  switch (env['OTEL_TRACES_SAMPLER']) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio);
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
    default:
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
  }
}

/** A sampler that enters what it decides into the account: the SDK asks it once for each span that it begins. */
export function countedSampler(sampler: Sampler, account: Account): Sampler {
  return {
    shouldSample(...asked) {
      const result = sampler.shouldSample(...asked);
      account.started++;
      if (result.decision !== SamplingDecision.RECORD_AND_SAMPLED) account.sampledOut++;
      return result;
    },
    toString: () => sampler.toString(),
  };
}
