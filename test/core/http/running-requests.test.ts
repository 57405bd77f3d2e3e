import { expect } from 'chai';
import fc from 'fast-check';
import { RunningRequest, RunningRequests } from '../../../src/core/http/running-requests.ts';
import type { OkapiContext } from '../../../src/core/http/state.ts';

const request = (expiresAt = 0) => new RunningRequest({} as OkapiContext, expiresAt, () => undefined);

describe('the requests under way', () => {
  it('are known in the order in which they came, whichever of them end', () => {
    const step = fc.oneof(fc.constant('came' as const), fc.nat({ max: 20 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const running = new RunningRequests();
        const known: RunningRequest[] = [];
        for (const each of steps) {
          if (each === 'came') {
            known.push(request(known.length));
            running.add(known.at(-1) as RunningRequest);
          } else if (each < known.length) {
            const [ended] = known.splice(each, 1);
            expect(running.delete(ended as RunningRequest)).to.equal(true);
          }
          expect([...running.values()]).to.have.ordered.members(known);
          expect(running.size).to.equal(known.length);
        }
      }),
    );
  });

  it('end once', () => {
    const running = new RunningRequests();
    const [only, never] = [request(), request()];
    running.add(only);
    expect([running.delete(only), running.delete(only), running.delete(never)]).to.eql([true, false, false]);
    expect(running.size).to.equal(0);
  });

  it('may end while they are looked at', () => {
    const running = new RunningRequests();
    for (let count = 0; count < 5; count++) running.add(request(count));
    const seen = [...running.values().map((each) => running.delete(each) && each.expiresAt)];
    expect(seen).to.eql([0, 1, 2, 3, 4]);
    expect(running.size).to.equal(0);
  });

  it('lead from none that has ended to another', () => {
    const running = new RunningRequests();
    const all = [request(), request(), request()];
    for (const each of all) running.add(each);
    for (const each of all) running.delete(each);
    expect(all.flatMap(({ older, newer }) => [older, newer])).to.eql(Array(6).fill(undefined));
  });
});
