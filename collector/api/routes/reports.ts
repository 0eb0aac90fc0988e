import { type Context, Hono } from 'hono';
import { causesReport, leadTimeReport } from '../../../watch/alerts/reports.ts';
import { daysQuery } from '../days-query.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { queryOf, visibleAcquirer } from '../require.ts';

/** How right the product's own guesses and warnings were. */
export function reportRoutes({ watch, now }: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();

  app.get('/reports/causes', (c) => {
    const { days, ...range } = daysOf(c);
    return c.json({ ...range, ...causesReport(days) });
  });

  app.get('/reports/lead-time', (c) => {
    const { days, ...range } = daysOf(c);
    return c.json({ ...range, items: leadTimeReport(days) });
  });

  function daysOf(c: Context<ApiEnv>) {
    const acquirer = visibleAcquirer(c);
    const { from, to } = daysQuery(queryOf(c), now());
    return { from, to, acquirer, days: watch.reportDays(from, to, acquirer) };
  }

  return app;
}
