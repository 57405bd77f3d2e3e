import { ProtobufWriter } from './protobuf-writer.ts';
import type { Batch } from './record-queue.ts';

/**
 * What stands before the records of one batch in its request: `ExportTraceServiceRequest` and `ExportLogsServiceRequest`
 * (OTLP 1.x) have the same fields. `resource` is the encoded field of the resource. The records are not copied for it.
 */
export function encodeHead(resource: Buffer, { scope, bytes }: Batch): Buffer {
  const scopeMessage = new ProtobufWriter(512);
  const start = scopeMessage.begin(1);
  scopeMessage.string(1, scope.name);
  if (scope.version !== undefined) scopeMessage.string(2, scope.version);
  scopeMessage.end(start);
  const encodedScope = scopeMessage.take();
  const scopeLength = encodedScope.length + bytes.length;
  const head = new ProtobufWriter(resource.length + 512);
  head.tag(1, 2);
  head.varint(resource.length + 1 + varintLength(scopeLength) + scopeLength);
  head.raw(resource);
  head.tag(2, 2);
  head.varint(scopeLength);
  head.raw(encodedScope);
  return head.take();
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) length++;
  return length;
}
