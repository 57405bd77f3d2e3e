import { expect } from 'chai';
import { negotiateFormat } from '../../../../src/core/telemetry/metrics/negotiate-format.ts';

const OPENMETRICS = [
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
  'application/openmetrics-text',
  'Application/OpenMetrics-Text; Version="1.0.0"; charset=utf-8',
  'application/openmetrics-text, */*',
  'text/plain;q=0.5, application/openmetrics-text;q=0.6',
  'application/*',
];
const TEXT = [
  undefined,
  '',
  '*/*',
  'text/plain',
  'text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
  'application/openmetrics-text;q=0.3, text/plain;q=0.4',
  'application/openmetrics-text, text/plain',
  'application/openmetrics-text;version=0.0.1',
  'application/openmetrics-text;q=0',
  'application/openmetrics-text;q=0, */*;q=0',
  'application/openmetrics-text;q=x',
  'application/openmetrics-text;q=7',
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8',
  'image/png',
  ';;;,,,=/=;q',
  'application openmetrics-text',
];

describe('metrics: choosing the format', () => {
  for (const accept of OPENMETRICS) {
    it(`answers OpenMetrics to ${accept}`, () => expect(negotiateFormat(accept)).to.equal('openmetrics'));
  }
  for (const accept of TEXT) {
    it(`answers text to ${accept}`, () => expect(negotiateFormat(accept)).to.equal('text'));
  }
});
