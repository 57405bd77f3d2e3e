import { expect } from 'chai';
import type { AccountView } from '../../../src/core/telemetry/ledger.ts';

/** Expects that everything that was begun is in one place. */
export function expectBalance(view: AccountView): void {
  const { started, sampled_out, exported, dropped, in_flight } = view;
  const sum = (counts: object) => Object.values(counts).reduce((total: number, count: number) => total + count, 0);
  expect(sampled_out + exported + sum(dropped) + sum(in_flight), JSON.stringify(view)).to.equal(started);
  for (const count of Object.values(in_flight)) expect(count, JSON.stringify(view)).to.be.at.least(0);
}
