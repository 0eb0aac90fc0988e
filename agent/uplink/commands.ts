import * as z from 'zod/mini';
import { epochMs, label } from '../../protocol/schemas/common.ts';
import type { Ack, Command } from '../../protocol/schemas/messages.ts';
import { briefly } from '../errors.ts';

/** What the agent can do when it is told to. Resolves when done. */
export type CommandHandlers = Record<Extract<Command['type'], 'rebirth' | 'report_now'>, () => Promise<void>>;

/** Of a command only these: a newer collector may know more types and members than this agent. */
const incoming = z.object({ id: label, type: z.string(), expires: z.optional(epochMs) });

/** Does what the command says, and answers with its outcome. Null where nothing is to be answered: it has expired, or is no command. */
export async function obey(payload: Uint8Array, handlers: CommandHandlers, now: number): Promise<Ack | null> {
  const command = parse(payload);
  if (!command || (command.expires !== undefined && command.expires <= now)) return null;
  const supported = Object.hasOwn(handlers, command.type);
  if (!supported) return { v: 1, id: command.id, ok: false, error: 'not supported' };
  try {
    await handlers[command.type as keyof CommandHandlers]();
    return { v: 1, id: command.id, ok: true, error: null };
  } catch (error) {
    return { v: 1, id: command.id, ok: false, error: briefly(error) };
  }
}

function parse(payload: Uint8Array): z.infer<typeof incoming> | undefined {
  try {
    return incoming.safeParse(JSON.parse(new TextDecoder().decode(payload))).data;
  } catch {
    return undefined;
  }
}
