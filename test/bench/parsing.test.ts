import { expect } from 'chai';
import { parseRequestsTotal } from '../../bench/counting/requests-total.ts';
import { parseAutocannon } from '../../bench/load/autocannon.ts';
import { parseWrk, wrkCommand } from '../../bench/load/wrk.ts';
import { LEAST_WARM_UP, parseOptions } from '../../bench/options.ts';
import { parseCores } from '../../bench/processes/pinning.ts';
import { cpuOf } from '../../bench/processes/usage.ts';

describe('what the benchmark reads', () => {
  it('takes the figures of wrk from the line of its script', () => {
    const output = `Running 2s test @ http://127.0.0.1:1/
  Latency Distribution
     50%    1.50ms
RESULT {"requests":2000,"duration_us":2000000,"p50_us":1500,"p99_us":9250,"status":1,"connect":1,"read":2,"write":3,"timeout":4}
`;
    expect(parseWrk(output)).to.deep.equal({
      requests: 2000,
      perSecond: 1000,
      p50Ms: 1.5,
      p99Ms: 9.25,
      notOk: 1,
      socketErrors: 6,
      timeouts: 4,
    });
    expect(() => parseWrk('unable to connect')).to.throw('wrk did not finish');
  });

  it('gives wrk its headers and no more than one thread', () => {
    const command = wrkCommand({ url: 'http://127.0.0.1:1/', headers: { A: 'b' }, connections: 64, seconds: 8 });
    expect(command.join(' ')).to.match(/^wrk --threads 1 --connections 64 --duration 8s .*--header A: b http:\S+$/);
  });

  it('takes the figures of autocannon from its JSON', () => {
    const report = {
      requests: { total: 100 },
      duration: 2,
      latency: { p50: 1, p99: 5 },
      non2xx: 1,
      errors: 3,
      timeouts: 2,
    };
    const result = parseAutocannon(`Running\n${JSON.stringify(report)}\n`);
    expect(result).to.include({ requests: 100, perSecond: 50, p99Ms: 5, notOk: 1, socketErrors: 1, timeouts: 2 });
    expect(() => parseAutocannon('')).to.throw('autocannon did not finish');
  });

  it('adds up app_requests_total, and tells what was abandoned from what failed', () => {
    const exposition = `# HELP app_requests_total Total HTTP requests
# TYPE app_requests_total counter
app_requests_total{method="GET",endpoint="/",status="200"} 1e3
app_requests_total{method="POST",endpoint="/api/auth/register",status="201"} 1
app_requests_total{method="GET",endpoint="/",status="499"} 64
app_requests_total{status="503",method="GET",endpoint="/"} 2
app_errors_total{endpoint="/",exception_type="Error"} 9
`;
    expect(parseRequestsTotal(exposition)).to.deep.equal({ requests: 1067, abandoned: 64, notOk: 2 });
  });

  it('reads the cores that the kernel allows', () => {
    expect(parseCores('0-3,8\n')).to.deep.equal([0, 1, 2, 3, 8]);
    expect(parseCores('1')).to.deep.equal([1]);
  });

  it('finds user and system time behind a name with spaces and brackets', () => {
    const stat = '42 (node (x) y) S 1 42 42 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 7 0';
    expect(cpuOf(stat)).to.equal(2_000_000);
  });
});

describe('the options of the benchmark', () => {
  it('runs everything, warmed up, in fifteen short rounds unless told otherwise', () => {
    const options = parseOptions([]);
    expect(options).to.include({ mode: 'full', rounds: 15, warmUp: LEAST_WARM_UP, save: false });
    expect(options.only).to.equal(undefined);
  });

  it('keeps the warm-up when it is to be quick', () => {
    expect(parseOptions(['--quick'])).to.deep.include({
      mode: 'compare',
      warmUp: LEAST_WARM_UP,
      only: ['raw', 'koa', 'okapi'],
    });
  });

  it('hands settings on to Okapi', () => {
    expect(parseOptions(['--env', 'A=b=c', '--env', 'D=']).env).to.deep.equal({ A: 'b=c', D: '' });
  });

  it('refuses what makes no sense', () => {
    expect(() => parseOptions(['--rounds', '0'])).to.throw('--rounds must be a whole number');
    expect(() => parseOptions(['--memory', '--start'])).to.throw('do not go together');
    expect(() => parseOptions(['--env', 'A'])).to.throw('NAME=VALUE');
    expect(() => parseOptions(['--nothing'])).to.throw();
  });
});
