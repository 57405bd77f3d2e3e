import { expectNoSeriesFor } from './hostile-series.ts';

describe('fifty thousand requests to random paths, by random methods, for random hosts', () => {
  it('add no series', () => expectNoSeriesFor(50_000));
});
