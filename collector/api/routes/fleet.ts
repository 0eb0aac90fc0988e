import { Hono } from 'hono';
import { placeOf, type Terminal } from '../../../watch/fleet/terminals.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { historyQuery } from '../history-query.ts';
import { cursorKey, limitOf, pageOf } from '../paging.ts';
import { Problem } from '../problem.ts';
import { queryOf, visibleAcquirer } from '../require.ts';
import { type TerminalIndex, theTerminal } from '../terminal-index.ts';
import { fleetView, type TerminalView, terminalView, tidOf } from '../views.ts';

/** What `state` may ask for. */
const STATES: string[] = ['online', 'suspect', 'offline', 'unknown', 'goodbye', 'unregistered'] satisfies TerminalView['state'][];

/** The form of a terminal's key. */
const KEY_FORM = /^[a-z0-9-]{1,32}\/[A-Za-z0-9-]{4,32}$/;
/** Some 20 ms: terminals are in memory, so a request may look at more of them than of rows on disk. */
const MAX_TERMINALS = 20_000;

export function fleetRoutes({ watch, history, now }: ApiDeps, index: TerminalIndex): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();

  app.get('/fleet', (c) => c.json(fleetView(watch, visibleAcquirer(c))));

  /** In the order of acquirer and serial number. */
  app.get('/terminals', (c) => {
    const query = queryOf(c);
    const wanted = terminalFilter(query);
    const page = pageOf(rows(cursorKey(query.cursor, KEY_FORM), visibleAcquirer(c), wanted), limitOf(query.limit), MAX_TERMINALS);
    return c.json({ items: page.items.map((t) => terminalView(watch, t)), next: page.next });
  });

  app.get('/terminals/:sn', (c) => c.json(terminalView(watch, theTerminal(index, c))));

  app.get('/terminals/:sn/history', async (c) => {
    const { acquirer, sn } = theTerminal(index, c);
    const query = historyQuery({ acquirer, sn }, queryOf(c), now());
    const items = await history(query);
    return c.json({ acquirer, sn, metric: query.metric, from: query.from, to: query.to, everyMs: query.everyMs, items });
  });

  function* rows(after: string | undefined, acquirer: string | null, wanted: (t: Readonly<Terminal>) => boolean) {
    for (const { key, terminal } of index.from(after, acquirer)) yield { key, item: wanted(terminal) ? terminal : undefined };
  }

  /** Errors: Problem 400 for a state that is none. */
  function terminalFilter({ merchant, site, state, q }: Record<string, string | undefined>): (t: Readonly<Terminal>) => boolean {
    if (state !== undefined && !STATES.includes(state)) throw new Problem(400, 'Bad request', `state is one of ${STATES.join(', ')}`);
    const part = q?.toLowerCase();
    return (t) => {
      const place = placeOf(t);
      return (
        (merchant === undefined || place.merchant === merchant) &&
        (site === undefined || place.site === site) &&
        (state === undefined || watch.presenceOf(t) === state) &&
        (part === undefined || [t.sn, tidOf(t), place.merchant].some((text) => text?.toLowerCase().includes(part)))
      );
    };
  }

  return app;
}
