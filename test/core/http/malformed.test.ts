import { expect } from 'chai';
import { BaseDTO } from '../../../src/core/http/dto.ts';
import { route } from '../../../src/core/http/route.ts';
import { Type } from '../../../src/core/http/type.ts';
import { collectSpans, serve } from './harness.ts';

describe('a body that is no JSON', () => {
  it('is quoted in no span, with whatever it holds', async () => {
    const spans = collectSpans();
    const app = await serve({
      routes: [
        route({
          method: 'post',
          path: '/echo',
          summary: 'Takes a password',
          body: BaseDTO({ password: Type.String() }),
          responses: { 204: { description: 'Taken' } },
          handler: (ctx) => ctx.respond.success(undefined, { status: 204 }),
        }),
      ],
    });
    try {
      const answer = await fetch(`${app.url}/api/echo`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"password":hunter2-é',
      });
      expect(answer.status).to.equal(400);
      expect(await answer.text()).not.to.include('hunter2');
      expect(spans).to.have.length(1);
      expect(JSON.stringify(spans)).to.include('not well-formed');
      expect(JSON.stringify(spans)).not.to.include('hunter2');
      expect(JSON.stringify(app.access)).not.to.include('hunter2');
    } finally {
      await app.close();
    }
  });
});
