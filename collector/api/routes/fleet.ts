import { Hono } from 'hono';
import { terminalKey } from '../../../protocol/topics.ts';
import type { Terminal } from '../../../watch/fleet/terminals.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { cursorKey, limitOf, pageOf } from '../paging.ts';
import { notFound, Problem } from '../problem.ts';
import { visibleAcquirer } from '../require.ts';
import { fleetView, type TerminalView, terminalView } from '../views.ts';

/** What `state` may ask for. */
const STATES: string[] = ['online', 'suspect', 'offline', 'unknown', 'goodbye', 'unregistered'] satisfies TerminalView['state'][];

export function fleetRoutes({ watch }: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();

  app.get('/fleet', (c) => c.json(fleetView(watch, visibleAcquirer(c))));

  app.get('/terminals', (c) => {
    const { merchant, site, state, q, cursor, limit } = c.req.query();
    if (state !== undefined && !STATES.includes(state)) throw new Problem(400, 'Bad request', `state is one of ${STATES.join(', ')}`);
    const acquirer = visibleAcquirer(c);
    const matches = (t: TerminalView) =>
      (acquirer === null || t.acquirer === acquirer) &&
      (merchant === undefined || t.merchant === merchant) &&
      (site === undefined || t.site === site) &&
      (state === undefined || t.state === state) &&
      (q === undefined || [t.sn, t.tid, t.merchant].some((text) => text?.toLowerCase().includes(q.toLowerCase())));
    return c.json(pageOf(views(cursorKey(cursor), matches), limitOf(limit)));
  });

  app.get('/terminals/:sn', (c) => {
    const sn = c.req.param('sn');
    const acquirer = visibleAcquirer(c);
    const found =
      acquirer === null ? withSerial(sn) : [watch.state.terminals.get(terminalKey({ acquirer, sn }))].filter((t) => t !== undefined);
    const [terminal, ...others] = found;
    if (!terminal) throw notFound(`terminal ${sn}`);
    if (others.length > 0) {
      const choices = found.map((t) => ({ acquirer: t.acquirer, sn }));
      throw new Problem(409, 'Ambiguous', `${found.length} acquirers have a terminal ${sn}: say ?acquirer=`, { choices });
    }
    return c.json(terminalView(watch, terminal));
  });

  /** In the order in which terminals came to be known, from after the cursor on. */
  function* views(after: string | undefined, matches: (t: TerminalView) => boolean) {
    if (after !== undefined && !watch.state.terminals.get(after))
      throw new Problem(400, 'Bad request', 'cursor is not one that a list gave');
    let skipping = after !== undefined;
    for (const t of watch.state.terminals.values()) {
      const key = terminalKey(t);
      if (skipping) {
        skipping = key !== after;
        continue;
      }
      const item = terminalView(watch, t);
      if (matches(item)) yield { key, item };
    }
  }

  function withSerial(sn: string): Readonly<Terminal>[] {
    return [...watch.state.terminals.values()].filter((t) => t.sn === sn);
  }

  return app;
}
