import { Hono } from 'hono';
import * as z from 'zod/mini';
import { match, namedIn, type OperatorWindow } from '../../../protocol/operator.ts';
import { epochMs } from '../../../protocol/schemas/common.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { cursorKey, leastOf, limitOf, pageOf } from '../paging.ts';
import { notFound, Problem } from '../problem.ts';
import { bodyOf, queryOf, requireRole, visibleAcquirer } from '../require.ts';

const ID_FORM = /^.{1,128}$/s;
const KINDS = { silences: 'silence', maintenance: 'maintenance' } as const;

const newWindow = z.strictObject({ match, from: z.optional(epochMs), until: epochMs });

/** Silences and maintenance, by id: those that are to come or have not ended. */
export function windowRoutes({ watch, submit, random, now }: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();

  for (const [path, op] of Object.entries(KINDS)) {
    const isThere = (window: Readonly<OperatorWindow> | undefined): window is OperatorWindow =>
      window?.op === op && (window.until === null || window.until > watch.now);

    app.get(`/${path}`, (c) => {
      const { limit: asked, cursor } = queryOf(c);
      const [limit, after, acquirer] = [limitOf(asked), cursorKey(cursor, ID_FORM) ?? '', visibleAcquirer(c)];
      const wanted = [...watch.state.windows.values()].filter(
        (window) => isThere(window) && window.id > after && (acquirer === null || window.match.acquirer === acquirer),
      );
      const rows = leastOf(
        wanted.map((window) => ({ key: window.id, item: view(window) })),
        limit + 1,
      );
      return c.json(pageOf(rows, limit));
    });

    /** One that names nothing would hold all there is: it is taken for a mistake. */
    app.post(`/${path}`, async (c) => {
      requireRole(c, 'admin', 'noc');
      const { match: members, from = now(), until } = await bodyOf(c, newWindow);
      const named = namedIn(members);
      if (Object.keys(named).length === 0)
        throw new Problem(422, 'Too much', 'match names nothing: name the acquirer, merchant, site, terminal or type that it is for');
      if (until <= Math.max(from, now())) throw new Problem(422, 'Over', 'until is not after from, or has passed: give a time to come');
      const made = { op, id: random(12).toString('hex'), match: named, from, until, by: c.get('name') };
      await submit((at) => [{ kind: 'operator', at, body: made }]);
      return c.json(view(made), 201);
    });

    app.delete(`/${path}/:id`, async (c) => {
      requireRole(c, 'admin', 'noc');
      const id = c.req.param('id');
      if (!isThere(watch.state.windows.get(id))) throw notFound(`${op} ${id}`);
      await submit((at) => [{ kind: 'operator', at, body: { op: 'end', id, by: c.get('name') } }]);
      return c.body(null, 204);
    });
  }
  return app;
}

function view({ id, match: named, from, until, by }: Readonly<OperatorWindow>) {
  return { id, match: named, from, until, by };
}
