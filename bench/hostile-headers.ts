import { clientAddress, createProxyTrust } from '../src/core/http/client-address.ts';
import { DeviceReader } from '../src/core/http/device-info.ts';
import { say } from './workbench.ts';

/*
 * `node bench/hostile-headers.ts`: what the headers cost that are read on every request, when each is 64 KiB of what is
 * worst for their parsers. No more than a millisecond is promised; Node itself takes no headers over 16 KiB.
 */

const ROUNDS = 500;
const BYTES = 64 * 1024;
const PIECES = [
  ...['a', ' ', '(', ';', '/', '"', '\\', 'Mozilla/5.0 ', 'Android ', 'Macintosh FxiOS ', 'like Mac OS X ', 'Version/'],
  ...[
    'Windows Phone ',
    'Chrome/1.1.1',
    'Opera/9.80 ',
    'bot',
    'bot ',
    'compatible; ',
    'a/1 ',
    'AFT',
    '"a";v="',
    '"a", ',
  ],
  ...['1.1.1.1,', '2001:db8::1,', '[::1]:1,', ' ,'],
];

const everybody = createProxyTrust(['0.0.0.0/0', '::/0']);
const reader = new DeviceReader(1);

function readAll(text: string): void {
  const headers = { 'user-agent': text, 'sec-ch-ua': text, 'sec-ch-ua-platform': text, 'x-app-version': text };
  reader.read(headers, clientAddress('10.0.0.1', text, everybody));
}

let worst = 0;
for (const piece of PIECES) {
  const texts = piece.repeat(BYTES / piece.length);
  const times = Array.from({ length: ROUNDS }, (_, round) => {
    // Another one each time, or it would be remembered.
    const text = `${round}${texts}1.1.1.1`;
    const startedAt = performance.now();
    readAll(text);
    return performance.now() - startedAt;
  }).sort((a, b) => a - b);
  const [median = 0, late = 0] = [times[ROUNDS / 2], times[Math.floor(ROUNDS * 0.99)]];
  worst = Math.max(worst, median);
  say(`${JSON.stringify(piece).padEnd(20)} median ${median.toFixed(3)} ms, 99 % ${late.toFixed(3)} ms`);
}
say(`worst median ${worst.toFixed(3)} ms`);
