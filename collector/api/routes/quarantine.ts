import { Hono } from 'hono';
import * as z from 'zod/mini';
import { readAgain } from '../../owner/again.ts';
import { QUARANTINE, type Quarantined } from '../../owner/outputs.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { cursorKey, KEY_FORM, limitOf, pageOf, rowsAfter } from '../paging.ts';
import { notFound, Problem } from '../problem.ts';
import { bodyOf, queryOf, requireRole, visibleAcquirer } from '../require.ts';

/** Rows that one request reads again, so that it holds up nobody: each may be a megabyte once inflated. */
const REPLAYED_ROWS = 200;

const replayBody = z.object({ reason: z.optional(z.string()), from: z.optional(z.string()), cursor: z.optional(z.string()) });

/** What was not taken in, the newest first, and how it is taken in after all. */
export function quarantineRoutes({ watchState, feedState, quarantine: { messages, points }, submit }: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  const isThere = ({ id }: Quarantined) => !messages.isLeaving(id);

  app.get('/quarantine', (c) => {
    const { cursor, limit, reason, from } = queryOf(c);
    const acquirer = visibleAcquirer(c);
    const wanted = (row: Quarantined) => isOf(row, acquirer) && isAsked(row, { reason, from }) && isThere(row);
    const rows = rowsAfter<Quarantined>([watchState, feedState], QUARANTINE, cursorKey(cursor, KEY_FORM), wanted);
    return c.json(pageOf(rows, limitOf(limit)));
  });

  app.get('/quarantine/:id', (c) => {
    const id = c.req.param('id');
    const row = messages.find(id) ?? points.find(id);
    if (!row || !isOf(row, visibleAcquirer(c))) throw notFound(`${id} in quarantine`);
    return c.json({ ...row, text: textOf(row) });
  });

  /** All that the filter names and that can be read by now, a part at a request: `next` is where to go on. */
  app.post('/quarantine/replay', async (c) => {
    requireRole(c, 'admin', 'noc');
    const { cursor, ...asked } = await bodyOf(c, replayBody);
    const wanted = (row: Quarantined) => row.channel !== null && isAsked(row, asked) && isThere(row);
    const rows = rowsAfter<Quarantined>([watchState], QUARANTINE, cursorKey(cursor, KEY_FORM), wanted);
    const { items, next } = pageOf(rows, REPLAYED_ROWS);
    return c.json({ ...(await replay(items)), next });
  });

  /** Once: again is the same answer. 422 where it still cannot be read, or never can be replayed. */
  app.post('/quarantine/:id/replay', async (c) => {
    requireRole(c, 'admin', 'noc');
    const id = c.req.param('id');
    const row = messages.find(id) ?? points.find(id);
    if (row) {
      const again = readAgain(row);
      if (!again.ok) throw new Problem(422, 'Not replayed', again.detail, { reason: again.reason });
      await replay([row]);
    }
    const replayedAt = messages.replayedAt(id);
    if (replayedAt === undefined) throw notFound(`${id} in quarantine`);
    return c.json({ id, replayedAt });
  });

  /** The oldest first, as they came. Another request may have been quicker with one of them. */
  async function replay(rows: readonly Quarantined[]): Promise<{ replayed: number; kept: number }> {
    const readable = rows.toReversed().flatMap(({ id, ...row }) => {
      const again = readAgain({ id, ...row });
      return again.ok ? [{ id, entry: again.entry }] : [];
    });
    if (readable.length > 0) await submit((at) => readable.filter(({ id }) => messages.find(id)).map(({ entry }) => entry(at)));
    return { replayed: readable.length, kept: rows.length - readable.length };
  }

  return app;
}

function isOf({ from }: Quarantined, acquirer: string | null): boolean {
  return acquirer === null || from.startsWith(`${acquirer}/`);
}

function isAsked(row: Quarantined, { reason, from }: { reason?: string | undefined; from?: string | undefined }): boolean {
  return (reason === undefined || row.reason === reason) && (from === undefined || row.from === from);
}

/** The bytes as text; null where they are none. */
function textOf({ raw }: Quarantined): string | null {
  if (raw === null) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(raw, 'base64'));
  } catch {
    return null;
  }
}
