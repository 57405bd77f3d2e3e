import { type CommandContext, type CommandDefinition, checkFields, toCommand } from './command.ts';
import { CommandError, toErrorReply } from './command-error.ts';
import { catalogCommands } from './commands-catalog.ts';
import { collModCommand } from './commands-coll-mod.ts';
import { findAndModifyCommand } from './commands-find-and-modify.ts';
import { readCommands } from './commands-read.ts';
import { sessionCommands } from './commands-session.ts';
import { writeCommands } from './commands-write.ts';
import { encodeReply } from './raw-reply.ts';
import type { WireRequest } from './wire.ts';

/** Everything the embedded server can be asked. */
const commands = new Map<string, CommandDefinition>(
  [sessionCommands, readCommands, writeCommands, findAndModifyCommand, catalogCommands, collModCommand].flatMap(
    (group) => Object.entries(group),
  ),
);

const HANDSHAKE = /^(hello|ismaster)$/i;

/** Answers a request; what goes wrong is answered too. Never rejects. */
export async function answer(request: WireRequest, context: CommandContext): Promise<Buffer> {
  try {
    return encodeReply(await run(request, context));
  } catch (error) {
    return encodeReply(toErrorReply(error));
  }
}

function run(request: WireRequest, context: CommandContext) {
  const command = toCommand(request);
  const definition = commands.get(command.name);
  if (request.kind === 'query' && !HANDSHAKE.test(command.name)) {
    throw new CommandError('UnsupportedOpQueryCommand', `Unsupported OP_QUERY command: ${command.name}`);
  }
  if (!definition?.open && !context.connection.authentication.isDone) {
    throw new CommandError('Unauthorized', `Command ${command.name} requires authentication`);
  }
  if (!definition) throw new CommandError('CommandNotFound', `no such command: '${command.name}'`);
  checkFields(command, definition, request);
  return definition.run(command, context);
}
