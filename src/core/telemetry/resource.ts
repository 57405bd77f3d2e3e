import { randomUUID } from 'node:crypto';
import {
  detectResources,
  type Resource,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import type { Settings } from '../config/index.ts';

/** Who this process is, the same on spans, metrics and log lines. */
export type ServiceIdentity = { name: string; version: string; environment: string; instance: string };

const instance = randomUUID();

/** `service.name` is the project identifier unless `OTEL_SERVICE_NAME` says otherwise. */
export function serviceIdentity(settings: Settings): ServiceIdentity {
  return {
    name: process.env['OTEL_SERVICE_NAME'] || settings.projectIdentifier,
    version: settings.projectVersion,
    environment: settings.environment,
    instance,
  };
}

/** The OpenTelemetry resource; `OTEL_RESOURCE_ATTRIBUTES` may add to it, not change who the service is. */
export function createResource({ name, version, environment, instance }: ServiceIdentity): Resource {
  return detectResources({ detectors: [resourceAttributesEnvDetector] }).merge(
    resourceFromAttributes({
      'service.name': name,
      'service.version': version,
      'deployment.environment.name': environment,
      'service.instance.id': instance,
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': 'opentelemetry',
    }),
  );
}
