import { type Context, Hono } from 'hono';
import { type Alert, REASONS } from '../../../protocol/alerts.ts';
import { ALERT_IDS, ALERT_LOG } from '../../owner/outputs.ts';
import { fromBytes, newestFirst } from '../../rows.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { cursorKey, KEY_FORM, leastOf, limitOf, pageOf, rowsAfter } from '../paging.ts';
import { notFound, Problem } from '../problem.ts';
import { queryOf, visibleAcquirer } from '../require.ts';
import { alertView, languageOf } from '../views.ts';

/** Alerts, the newest first. */
export function alertRoutes({ watch, watchState }: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();

  /** What fires is in memory; other lists are read from disk, a bounded number of rows at a time (see Page). */
  app.get('/alerts', (c) => {
    const query = queryOf(c);
    const limit = limitOf(query.limit);
    const after = cursorKey(query.cursor, KEY_FORM);
    const wanted = alertFilter(c);
    const language = languageOf(c.req.header('accept-language'));
    const rows =
      query.state === 'firing'
        ? leastOf(firingAfter(watch.state.alerts.values(), after, wanted), limit + 1)
        : rowsAfter<Alert>([watchState], ALERT_LOG, after, wanted);
    const { items, next } = pageOf(rows, limit);
    return c.json({ items: items.map((alert) => alertView(alert, language)), next });
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

  return app;
}

/** Errors: Problem 400 for a state or type that is none. */
function alertFilter(c: Context<ApiEnv>): (alert: Readonly<Alert>) => boolean {
  const { state, type } = queryOf(c);
  if (state !== undefined && state !== 'firing' && state !== 'resolved')
    throw new Problem(400, 'Bad request', 'state is firing or resolved');
  if (type !== undefined && !Object.hasOwn(REASONS, type))
    throw new Problem(400, 'Bad request', `type is one of ${Object.keys(REASONS).join(', ')}`);
  const acquirer = visibleAcquirer(c);
  return (alert) =>
    (state === undefined || alert.state === state) &&
    (type === undefined || alert.type === type) &&
    (acquirer === null || alert.subject.acquirer === acquirer);
}

function* firingAfter(
  alerts: Iterable<Readonly<Alert>>,
  after: string | undefined,
  wanted: (alert: Readonly<Alert>) => boolean,
): Iterable<{ key: string; item: Alert }> {
  for (const item of alerts) {
    const key = newestFirst(item.startsAt, item.id);
    if ((after === undefined || key > after) && wanted(item)) yield { key, item };
  }
}
