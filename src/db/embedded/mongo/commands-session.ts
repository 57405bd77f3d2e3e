import type { Command, CommandContext, CommandDefinition } from './command.ts';
import { CommandError } from './command-error.ts';
import { type Fields, isFields, MAX_DOCUMENT_BYTES } from './documents.ts';
import { MECHANISM, USER } from './scram.ts';
import { MAX_MESSAGE_BYTES } from './wire.ts';

/** That of MongoDB 7.0. Drivers choose by it what they send; version 7.9 of the Node driver wants at least 9. */
const MAX_WIRE_VERSION = 21;
const VERSION = [7, 0, 0, 0];

const hello: CommandDefinition = {
  fields: [
    ...[
      'helloOk',
      'client',
      'compression',
      'backpressure',
      'saslSupportedMechs',
      'speculativeAuthenticate',
      'loadBalanced',
    ],
    // Sent by monitors only to servers that offer to wait, which this one does not.
    ...['topologyVersion', 'maxAwaitTimeMS'],
  ],
  open: true,
  run: greet,
};

const ok: CommandDefinition['run'] = () => ({ ok: 1 });

/** Commands about the connection and the server itself. */
export const sessionCommands: Readonly<Record<string, CommandDefinition>> = {
  hello,
  isMaster: hello,
  ismaster: hello,
  ping: { fields: [], open: true, run: ok },
  buildInfo: { fields: [], open: true, run: buildInfo },
  buildinfo: { fields: [], open: true, run: buildInfo },
  saslStart: { fields: ['mechanism', 'payload', 'autoAuthorize', 'options'], open: true, run: saslStart },
  saslContinue: { fields: ['conversationId', 'payload'], open: true, run: saslContinue },
  endSessions: { fields: [], run: ok },
};

function greet({ fields }: Command, { connection }: CommandContext): Fields {
  return {
    isWritablePrimary: true,
    ismaster: true,
    helloOk: true,
    okapiEmbedded: true,
    maxBsonObjectSize: MAX_DOCUMENT_BYTES,
    maxMessageSizeBytes: MAX_MESSAGE_BYTES,
    maxWriteBatchSize: 100_000,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: 30,
    connectionId: connection.id,
    minWireVersion: 0,
    maxWireVersion: MAX_WIRE_VERSION,
    readOnly: false,
    ...(fields['saslSupportedMechs'] === `admin.${USER}` && { saslSupportedMechs: [MECHANISM] }),
    ...speculate(fields['speculativeAuthenticate'], connection),
    ok: 1,
  };
}

/** Saves a round trip; when it cannot succeed, the field is left out and the client authenticates in the usual way. */
function speculate(request: unknown, { authentication }: CommandContext['connection']): Fields {
  if (!isFields(request) || request['db'] !== 'admin') return {};
  try {
    return { speculativeAuthenticate: authentication.start(request) };
  } catch (error) {
    if (error instanceof CommandError) return {};
    throw error;
  }
}

function buildInfo(): Fields {
  return {
    version: VERSION.slice(0, 3).join('.'),
    versionArray: VERSION,
    okapiEmbedded: true,
    modules: ['okapi-embedded'],
    storageEngines: ['sqlite'],
    maxBsonObjectSize: MAX_DOCUMENT_BYTES,
    bits: 64,
    debug: false,
    ok: 1,
  };
}

function saslStart({ fields, database }: Command, { connection }: CommandContext): Fields {
  if (database !== 'admin') throw new CommandError('AuthenticationFailed', 'Authentication failed.');
  return { ...connection.authentication.start(fields), ok: 1 };
}

function saslContinue({ fields }: Command, { connection }: CommandContext): Fields {
  return { ...connection.authentication.continue(fields), ok: 1 };
}
