import { Hono } from 'hono';
import type { StateStore } from '../../../backbone/state.ts';
import { type Alert, REASONS } from '../../../protocol/alerts.ts';
import { ALERT_IDS, ALERT_LOG, fromBytes, QUARANTINE, type Quarantined } from '../../owner/outputs.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { cursorKey, limitOf, pageOf } from '../paging.ts';
import { notFound, Problem } from '../problem.ts';
import { visibleAcquirer } from '../require.ts';
import { alertView, languageOf } from '../views.ts';

/** Alerts and quarantine, the newest first. */
export function alertRoutes({ watchState, feedState }: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();

  app.get('/alerts', (c) => {
    const { state, type, cursor, limit } = c.req.query();
    if (state !== undefined && state !== 'firing' && state !== 'resolved')
      throw new Problem(400, 'Bad request', 'state is firing or resolved');
    if (type !== undefined && !Object.hasOwn(REASONS, type))
      throw new Problem(400, 'Bad request', `type is one of ${Object.keys(REASONS).join(', ')}`);
    const acquirer = visibleAcquirer(c);
    const language = languageOf(c.req.header('accept-language'));
    const wanted = (alert: Alert) =>
      (state === undefined || alert.state === state) &&
      (type === undefined || alert.type === type) &&
      (acquirer === null || alert.subject.acquirer === acquirer);
    return c.json(
      pageOf(
        mapRows(rowsAfter<Alert>([watchState], ALERT_LOG, cursor, wanted), (alert) => alertView(alert, language)),
        limitOf(limit),
      ),
    );
  });

  app.get('/alerts/:id', (c) => {
    const id = c.req.param('id');
    const key = watchState.get(ALERT_IDS, id);
    const bytes = key && watchState.get(ALERT_LOG, new TextDecoder().decode(key));
    const alert = bytes && fromBytes<Alert>(bytes);
    const acquirer = visibleAcquirer(c);
    if (!alert || (acquirer !== null && alert.subject.acquirer !== acquirer)) throw notFound(`alert ${id}`);
    return c.json(alertView(alert, languageOf(c.req.header('accept-language'))));
  });

  app.get('/quarantine', (c) => {
    const { cursor, limit } = c.req.query();
    const acquirer = visibleAcquirer(c);
    const wanted = (row: Quarantined) => acquirer === null || row.from.startsWith(`${acquirer}/`);
    return c.json(pageOf(rowsAfter<Quarantined>([watchState, feedState], QUARANTINE, cursor, wanted), limitOf(limit)));
  });

  return app;
}

/** Rows of one table in several stores, merged in the order of their keys, from after the cursor on. */
function* rowsAfter<T>(stores: StateStore[], table: string, cursor: string | undefined, wanted: (item: T) => boolean) {
  const after = cursorKey(cursor);
  const range = after === undefined ? undefined : { after };
  const sources = stores.map((store) => store.rows(table, range)[Symbol.iterator]());
  const heads = sources.map((source) => source.next());
  for (;;) {
    let least = -1;
    for (const [i, head] of heads.entries()) if (!head.done && (least < 0 || head.value.key < heads[least]!.value.key)) least = i;
    if (least < 0) return;
    const { key, value } = heads[least]!.value;
    const item = fromBytes<T>(value);
    if (wanted(item)) yield { key, item };
    heads[least] = sources[least]!.next();
  }
}

function* mapRows<T>(rows: Iterable<{ key: string; item: T }>, map: (item: T) => T) {
  for (const { key, item } of rows) yield { key, item: map(item) };
}
