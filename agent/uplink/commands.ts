import * as z from 'zod/mini';
import { epochMs, label } from '../../protocol/schemas/common.ts';
import { type Ack, type Command, NOT_SUPPORTED } from '../../protocol/schemas/messages.ts';
import { briefly } from '../errors.ts';

/** What the agent can do when it is told to. Resolves when done. */
export type CommandHandlers = Record<Extract<Command['type'], 'rebirth' | 'report_now'>, () => Promise<void>>;

/** Of a command only these: a newer collector may know more types and members than this agent. */
const incoming = z.object({ id: label, type: z.string(), expires: z.optional(epochMs) });

/** A command may come again: because its answer has not arrived yet, it is not done again. */
const ANSWERS_KEPT = 100;

/** The answers that were given lately, by the ids of their commands, the oldest first. */
export type Answers = Map<string, Ack>;

/**
 * Does what the command says, once, and answers with its outcome. Null where nothing is to be answered: it has expired, or is no
 * command.
 */
export async function obey(payload: Uint8Array, handlers: CommandHandlers, answers: Answers, now: number): Promise<Ack | null> {
  const command = parse(payload);
  if (!command || (command.expires !== undefined && command.expires <= now)) return null;
  const { id, type } = command;
  const ack = answers.get(id) ?? { v: 1, id, ...(await outcomeOf(type, handlers)) };
  answers.delete(id);
  answers.set(id, ack);
  if (answers.size > ANSWERS_KEPT) answers.delete(answers.keys().next().value!);
  return ack;
}

async function outcomeOf(type: string, handlers: CommandHandlers): Promise<Pick<Ack, 'ok' | 'error'>> {
  if (!Object.hasOwn(handlers, type)) return { ok: false, error: NOT_SUPPORTED };
  try {
    await handlers[type as keyof CommandHandlers]();
    return { ok: true, error: null };
  } catch (error) {
    return { ok: false, error: briefly(error) };
  }
}

function parse(payload: Uint8Array): z.infer<typeof incoming> | undefined {
  try {
    return incoming.safeParse(JSON.parse(new TextDecoder().decode(payload))).data;
  } catch {
    return undefined;
  }
}
