import { context } from '@opentelemetry/api';
import { expect } from 'chai';
import { trackBackgroundJob } from '../../../src/core/background/track-background-job.ts';
import { Carrier, contextWith, currentCarrier } from '../../../src/core/context.ts';
import {
  backgroundJobDuration,
  backgroundJobFailures,
  backgroundJobRuns,
} from '../../../src/core/telemetry/metrics/metrics.ts';

function figuresOf(name: string) {
  const labels = { job_name: name };
  return {
    runs: backgroundJobRuns.labels(labels).value,
    failures: backgroundJobFailures.labels(labels).value,
    durations: backgroundJobDuration.labels(labels).read().count,
  };
}

function isKnown(name: string): boolean {
  return [...backgroundJobRuns.series(), ...backgroundJobFailures.series(), ...backgroundJobDuration.series()]
    .map(({ labels }) => labels['job_name'])
    .includes(name);
}

describe('background: trackBackgroundJob', () => {
  it('shows the three series of a job at 0 before its first run', () => {
    expect(isKnown('never_run')).to.equal(false);
    trackBackgroundJob('never_run')(async () => {});
    expect(isKnown('never_run')).to.equal(true);
    expect(figuresOf('never_run')).to.deep.equal({ runs: 0, failures: 0, durations: 0 });
  });

  it('counts and times a run, and hands arguments and result on', async () => {
    const add = trackBackgroundJob('add_up')(async (a: number, b: number) => a + b);
    expect(await add(1, 2)).to.equal(3);
    expect(figuresOf('add_up')).to.deep.equal({ runs: 1, failures: 0, durations: 1 });
  });

  it('counts a rejection as a failure and rejects with the very same error', async () => {
    const error = new Error('mailbox full');
    const send = trackBackgroundJob('send_emails')(async () => {
      throw error;
    });
    const thrown = await send().catch((reason: unknown) => reason);
    expect(thrown).to.equal(error);
    expect(figuresOf('send_emails')).to.deep.equal({ runs: 1, failures: 1, durations: 1 });
  });

  it('counts a throw before the first await the same way', async () => {
    const broken = trackBackgroundJob('broken_early')((): Promise<void> => {
      throw new Error('early');
    });
    const thrown = await broken().catch(String);
    expect(thrown).to.equal('Error: early');
    expect(figuresOf('broken_early').failures).to.equal(1);
  });

  it('decorates a method, whose this and name stay', async () => {
    class Mailer {
      readonly sent = ['a'];
      async send(to: string): Promise<number> {
        return this.sent.push(to);
      }
    }
    const decoratorContext = { kind: 'method', name: 'send', static: false, private: false };
    const decorate = trackBackgroundJob('mailer');
    const send = decorate(Mailer.prototype.send, decoratorContext as ClassMethodDecoratorContext);
    expect(await send.call(new Mailer(), 'b')).to.equal(2);
    expect(send.name).to.equal('send');
    expect(figuresOf('mailer').runs).to.equal(1);
  });

  it('refuses to decorate what is no method', () => {
    const accessor = { kind: 'getter', name: 'x' } as unknown as ClassMethodDecoratorContext;
    expect(() => trackBackgroundJob('getter')(async () => {}, accessor)).to.throw(TypeError, 'decorates a method');
  });

  for (const name of ['', 'Send', 'send-emails', '1st', `a${'b'.repeat(64)}`, undefined]) {
    it(`refuses the name ${JSON.stringify(name)}`, () => {
      expect(() => trackBackgroundJob(name as string)).to.throw(TypeError, 'is not a job name: it must match');
    });
  }

  it('runs in a context of its own, apart from the request that started it', async () => {
    const job = trackBackgroundJob('in_context')(async () => {
      await Promise.resolve();
      return currentCarrier();
    });
    const request = new Carrier();
    request.requestId = 'r1';
    const [seen, after] = await context.with(contextWith(request), async () => [await job(), currentCarrier()]);
    expect(seen).to.deep.include({ jobName: 'in_context', requestId: undefined });
    expect(after).to.equal(request);
  });
});
