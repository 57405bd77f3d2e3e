import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { CommandContext } from './command.ts';
import { answer } from './dispatch.ts';
import { encodeMessage, MessageReader, parseMessage } from './wire.ts';

/**
 * Serves one client until it leaves, or until it sends what is no message. Commands of one connection are done one after
 * the other, and none is read while the client does not take the answers.
 * @throws WireError, and whatever the socket ends with.
 */
export async function serveConnection(socket: Socket, context: CommandContext, signal: AbortSignal): Promise<void> {
  const reader = new MessageReader();
  for await (const chunk of socket) {
    reader.push(chunk as Buffer);
    for (let message = reader.take(); message; message = reader.take()) {
      const request = parseMessage(message);
      const reply = await answer(request, context);
      if (request.expectsReply && !socket.write(encodeMessage(request, reply))) await once(socket, 'drain', { signal });
      if (signal.aborted) return;
    }
  }
}
