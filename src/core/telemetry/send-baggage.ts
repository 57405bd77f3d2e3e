import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { context } from '@opentelemetry/api';
import { W3CBaggagePropagator } from '@opentelemetry/core';

/** What undici publishes, as far as it is used. */
type UndiciRequest = { origin: string; headers: unknown; addHeader(name: string, value: string): void };

const propagator = new W3CBaggagePropagator();

/**
 * Hands the baggage of a request on to these hosts, given by name without port, and to no other. Must be called once.
 * A header that the caller of `fetch` has set stays as it is. Without hosts nothing is sent, and nothing is listened to.
 * Returns what ends it.
 */
export function sendBaggage(hosts: readonly string[]): () => void {
  if (hosts.length === 0) return () => undefined;
  const named = new Set(hosts.map((host) => host.toLowerCase()));
  const onFetch = (message: unknown) => {
    const { request } = message as { request: UndiciRequest };
    if (!named.has(new URL(request.origin).hostname) || hasBaggage(request.headers)) return;
    const baggage = activeBaggage();
    if (baggage !== undefined) request.addHeader('baggage', baggage);
  };
  const onRequest = (message: unknown) => {
    const { request } = message as { request: ClientRequest };
    if (!named.has(request.host.toLowerCase()) || request.hasHeader('baggage')) return;
    const baggage = activeBaggage();
    if (baggage !== undefined) request.setHeader('baggage', baggage);
  };
  subscribe('undici:request:create', onFetch);
  subscribe('http.client.request.created', onRequest);
  return () => {
    unsubscribe('undici:request:create', onFetch);
    unsubscribe('http.client.request.created', onRequest);
  };
}

/** Names and values by turns, as undici keeps them. */
function hasBaggage(headers: unknown): boolean {
  return (
    Array.isArray(headers) && headers.some((name, index) => index % 2 === 0 && String(name).toLowerCase() === 'baggage')
  );
}

function activeBaggage(): string | undefined {
  const sent: Record<string, string> = {};
  propagator.inject(context.active(), sent, {
    set: (carrier, name, value) => Object.assign(carrier, { [name]: value }),
  });
  return sent['baggage'];
}
