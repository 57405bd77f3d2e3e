import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { Carrier } from '../../../src/core/context.ts';
import { sendAnswer } from '../../../src/core/http/response.ts';
import type { RouteContext } from '../../../src/core/http/route.ts';
import { type OkapiContext, OkapiState } from '../../../src/core/http/state.ts';
import { request } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { get, serve } from './harness.ts';

const ANSWER = { status: 200, type: 'text/plain', text: 'fine' };

/** A context whose response notes what is written, or throws. */
function answering(write: (text: string) => void): OkapiContext & { cut: boolean } {
  const ctx = {
    cut: false,
    state: new OkapiState(0, 'GET', '/', new Carrier(), undefined, '127.0.0.1'),
    res: {
      setHeader: () => undefined,
      end: write,
      destroy: () => {
        ctx.cut = true;
      },
    },
  };
  return ctx as unknown as OkapiContext & { cut: boolean };
}

describe('an answer', () => {
  it('is written with those of the same turn, and at once to who is shed', async () => {
    const written: string[] = [];
    const one = answering(() => written.push('one'));
    const shed = answering(() => written.push('shed'));
    shed.state.isShed = true;
    sendAnswer(one, ANSWER);
    sendAnswer(shed, ANSWER);
    expect(written).to.deep.equal(['shed']);
    await nextTurn();
    expect(written).to.deep.equal(['shed', 'one']);
  });

  it('that cannot be written cuts its own connection, and no other is lost', async () => {
    const written: string[] = [];
    const broken = answering(() => {
      throw new TypeError('nothing that a header may hold');
    });
    sendAnswer(broken, ANSWER);
    sendAnswer(
      answering(() => written.push('the next')),
      ANSWER,
    );
    await nextTurn();
    expect(written).to.deep.equal(['the next']);
    expect(broken.cut).to.equal(true);
  });

  it('is not held on to once it is handed over, nor is its head once that is sent', async () => {
    let seen: OkapiContext | undefined;
    const handler = (ctx: RouteContext) => {
      seen = ctx as unknown as OkapiContext;
      ctx.respond.success('fine');
    };
    const app = await serve({ routes: [get('/fine', handler)] });
    try {
      expect((await request(`${app.url}/api/fine`)).body.data).to.equal('fine');
      const head = () => (seen as unknown as { res: { _header: string } }).res._header;
      await eventually(() => head() === 'sent');
      expect(seen?.state.answer).to.equal(undefined);
      expect(seen?.res.headersSent).to.equal(true);
    } finally {
      await app.close();
    }
  });
});
