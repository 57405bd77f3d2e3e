import type { CommandFailedEvent, CommandStartedEvent, CommandSucceededEvent, MongoClient } from 'mongodb';
import { type Carrier, currentCarrier } from '../../core/context.ts';
import { dbMongoCommandDuration } from '../../core/telemetry/metrics/metrics.ts';

type Running = { collection: string; carrier: Carrier | undefined; startedAt: number };

const COMMANDS = new Set(
  'aggregate count createIndexes delete distinct drop endSessions find findAndModify getMore insert killCursors ping update'.split(
    ' ',
  ),
);
const MAX_RUNNING = 10_000;

/**
 * Measures every command where the driver sends it, so that none escapes. Collections that were not declared are
 * `_other`, commands that this service does not send too: neither is a way to add series.
 */
export function observeCommands(client: MongoClient, collections: readonly string[]): void {
  const declared = new Set(collections);
  const running = new Map<number, Running>();
  client.on('commandStarted', ({ requestId, commandName, command }: CommandStartedEvent) => {
    const target: unknown = commandName === 'getMore' ? command['collection'] : command[commandName];
    const collection = typeof target === 'string' && declared.has(target) ? target : '_other';
    if (running.size < MAX_RUNNING) {
      running.set(requestId, { collection, carrier: currentCarrier(), startedAt: performance.now() });
    }
  });
  const finished = ({ requestId, commandName }: CommandSucceededEvent | CommandFailedEvent) => {
    const command = running.get(requestId);
    if (command === undefined) return;
    running.delete(requestId);
    const tookMs = performance.now() - command.startedAt;
    if (command.carrier !== undefined) {
      const { spending } = command.carrier;
      spending.mongoCommands++;
      spending.mongoMs += tookMs;
    }
    const name = COMMANDS.has(commandName) ? commandName : '_other';
    dbMongoCommandDuration.labels({ command: name, collection: command.collection }).observe(tookMs / 1000);
  };
  client.on('commandSucceeded', finished);
  client.on('commandFailed', finished);
}
