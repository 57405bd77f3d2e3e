import { expect } from 'chai';
import { request } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { startService } from '../support/service.ts';

describe('OTLP over gRPC', () => {
  it('takes traces, logs and metrics to the collector, and the ledger agrees with what came', async () => {
    const receiver = await startOtlpReceiver();
    const service = await startService({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_BSP_SCHEDULE_DELAY: '50',
        OTEL_BLRP_SCHEDULE_DELAY: '50',
        OTEL_METRIC_EXPORT_INTERVAL: '200',
      },
    });
    try {
      const answer = await request(`${service.url}/api/nope`);
      const traceId = answer.body.meta.trace_id;
      const span = await eventually(() => receiver.spans.find((each) => each.traceId === traceId));
      expect(span.attributes).to.include({ 'http.response.status_code': 404 });
      expect(span.resource).to.include({ 'service.name': 'okapi' });
      const record = await eventually(() => receiver.logs.find((each) => each.traceId === traceId));
      expect(record.attributes).to.include({ request_id: answer.body.meta.request_id });
      await eventually(() => receiver.metrics.some(({ name }) => name === 'app_requests_total'));
    } finally {
      await service.stop();
      await receiver.close();
    }
    const closed = service.logLines().find(({ message }) => message === 'Telemetry of this process');
    const extra = closed?.['extra'];
    expect(extra).to.nested.include({
      'spans.started': receiver.spans.length,
      'spans.exported': receiver.spans.length,
    });
    expect(extra).to.nested.include({ 'log_records.exported': receiver.logs.length });
  });
});
