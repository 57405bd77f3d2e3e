import { expectNoSeriesFor } from './hostile-series.ts';

describe('a thousand requests to random paths, by random methods, for random hosts', () => {
  it('add no series', () => expectNoSeriesFor(1_000));
});
