import { Hono } from 'hono';
import * as z from 'zod/mini';
import type { ExpiringCommand } from '../../../protocol/entries.ts';
import { epochMs } from '../../../protocol/schemas/common.ts';
import { interval } from '../../../protocol/schemas/messages.ts';
import { type TerminalId, terminalKey } from '../../../protocol/topics.ts';
import { type CommandRecord, isOpen, newRecord } from '../../../watch/fleet/commands.ts';
import { COMMAND_LOG, commandKey, commandPrefix } from '../../owner/outputs.ts';
import { fromBytes } from '../../rows.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { cursorKey, KEY_FORM, limitOf, pageOf, type Row } from '../paging.ts';
import { Problem } from '../problem.ts';
import { bodyOf, queryOf, requireRole } from '../require.ts';
import { type TerminalIndex, theTerminal } from '../terminal-index.ts';

const DAY_MS = 86_400_000;
const MAX_BODY_BYTES = 4 << 10;
const EXPIRES_AFTER_MS = DAY_MS;
const MAX_DAYS = 30;
/** Of one terminal, without an outcome. */
const MAX_OPEN = 100;
const ID_BYTES = 12;

const args = z.optional(z.record(z.string(), z.unknown(), 'an object'));
const expires = z.optional(epochMs);
/** Not `rotate`: its argument is a secret, which would stay in the log. */
const commandBody = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.enum(['rebirth', 'report_now', 'diagnose']), args, expires }),
    z.strictObject({ type: z.literal('set_interval'), args: z.object({ interval }, 'has to have interval, seconds'), expires }),
  ],
  'one of rebirth, report_now, diagnose, set_interval',
);

/** What operators tell terminals, and what came of it. */
export function commandRoutes({ watch, watchState, now, random, submit }: ApiDeps, index: TerminalIndex): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();

  app.post('/terminals/:sn/commands', async (c) => {
    requireRole(c, 'admin', 'noc');
    const { acquirer, sn } = theTerminal(index, c);
    const command = newCommand(await bodyOf(c, commandBody, { maxBytes: MAX_BODY_BYTES }));
    const open = recordsOf({ acquirer, sn }).filter(isOpen).length;
    if (open >= MAX_OPEN)
      throw new Problem(409, 'Too many', `${open} commands to this terminal have no outcome yet: wait for some of them`);
    await submit((at) => [{ kind: 'command', at, acquirer, sn, command }]);
    const given = recordsOf({ acquirer, sn }).find((record) => record.command.id === command.id);
    return c.json(commandView(given ?? newRecord({ acquirer, sn }, command, watch.now)), 201);
  });

  /** The newest first. */
  app.get('/terminals/:sn/commands', (c) => {
    const { acquirer, sn } = theTerminal(index, c);
    const { cursor, limit } = queryOf(c);
    const page = pageOf(rowsAfter({ acquirer, sn }, cursorKey(cursor, KEY_FORM)), limitOf(limit));
    return c.json({ items: page.items.map(commandView), next: page.next });
  });

  function newCommand({ type, args, expires = now() + EXPIRES_AFTER_MS }: z.infer<typeof commandBody>): ExpiringCommand {
    if (expires <= now() || expires > now() + MAX_DAYS * DAY_MS)
      throw new Problem(400, 'Bad request', `expires is a time to come, in epoch milliseconds, within ${MAX_DAYS} days`);
    const id = `cmd_${random(ID_BYTES).toString('base64url')}`;
    return { v: 1, id, type, ...(args && { args }), expires };
  }

  function recordsOf(terminal: TerminalId): readonly CommandRecord[] {
    return watch.state.commands.get(terminalKey(terminal))?.list ?? [];
  }

  /** As saved; those that the watch has in memory may be newer there. */
  function* rowsAfter(terminal: TerminalId, after: string | undefined): Iterable<Row<CommandRecord>> {
    const prefix = commandPrefix(terminal);
    const inMemory = recordsOf(terminal)
      .map((item) => ({ key: commandKey(item).slice(prefix.length), item }))
      .filter(({ key }) => after === undefined || key > after)
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const { key: whole, value } of watchState.rows(COMMAND_LOG, { after: prefix + (after ?? '') })) {
      if (!whole.startsWith(prefix)) break;
      const key = whole.slice(prefix.length);
      while (inMemory[0] && inMemory[0].key < key) yield inMemory.shift()!;
      yield inMemory[0]?.key === key ? inMemory.shift()! : { key, item: fromBytes(value) };
    }
    yield* inMemory;
  }

  return app;
}

function commandView({ command, tries: _, ...record }: Readonly<CommandRecord>) {
  const { id, type, args, expires } = command;
  return { id, type, args: args ?? null, expires, ...record };
}
