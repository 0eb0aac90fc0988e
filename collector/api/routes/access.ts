import { Hono } from 'hono';
import * as z from 'zod/mini';
import { KeyError } from '../../../backbone/credentials/keys.ts';
import { parseUser } from '../../../backbone/credentials/users.ts';
import { parseRole } from '../access.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { notFound, Problem } from '../problem.ts';
import { bodyOf, requireRole } from '../require.ts';

const DAY_MS = 86_400_000;
/** How long a token of a terminal is good where nobody says otherwise: two years. */
export const TOKEN_DAYS = 730;

const enrolmentBody = z.object({ user: z.string(), days: z.optional(z.int().check(z.gte(1), z.lte(3650))) });
const revocationBody = z.object({ user: z.string() });
const tokenBody = z.object({ role: z.string(), name: z.optional(z.string().check(z.maxLength(128))) });

/** Who may connect (MQTT) and who may ask (API). */
export function accessRoutes(deps: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();

  app.post('/enrolments', async (c) => {
    requireRole(c, 'admin', 'noc');
    const { user, days = TOKEN_DAYS } = await bodyOf(c, enrolmentBody);
    const expiresAt = deps.now() + days * DAY_MS;
    return c.json({ user, token: await deps.enroll(knownUser(user), expiresAt), expiresAt }, 201);
  });

  app.post('/revocations', async (c) => {
    requireRole(c, 'admin', 'noc');
    const { user } = await bodyOf(c, revocationBody);
    const at = deps.now();
    await deps.control({ kind: 'revocation', at, user: knownUser(user) });
    return c.json({ user, at }, 201);
  });

  app.get('/keys', async (c) => {
    requireRole(c, 'admin');
    return c.json({ items: await deps.keys.list(), next: null });
  });

  app.post('/keys', async (c) => {
    requireRole(c, 'admin');
    return c.json(await deps.keys.rotate(), 201);
  });

  app.delete('/keys/:id', async (c) => {
    requireRole(c, 'admin');
    const id = c.req.param('id');
    await deps.keys.retire(id).catch((error) => {
      const code = error instanceof KeyError ? error.code : undefined;
      if (code === 'unknown') throw notFound(`key ${id}`);
      throw code === 'signing' ? new Problem(409, 'Conflict', error.message) : error;
    });
    return c.body(null, 204);
  });

  app.get('/tokens', (c) => {
    requireRole(c, 'admin');
    return c.json({ items: deps.access.list(), next: null });
  });

  app.post('/tokens', async (c) => {
    requireRole(c, 'admin');
    const { role: text, name = '' } = await bodyOf(c, tokenBody);
    const role = parseRole(text);
    if (!role) throw new Problem(400, 'Bad request', 'role is admin, noc, viewer or acquirer:{code}');
    return c.json(await deps.access.create(role, name, deps.now()), 201);
  });

  app.delete('/tokens/:id', async (c) => {
    requireRole(c, 'admin');
    if (!(await deps.access.remove(c.req.param('id')))) throw notFound(`token ${c.req.param('id')}`);
    return c.body(null, 204);
  });

  return app;
}

function knownUser(user: string): string {
  if (!parseUser(user)) throw new Problem(400, 'Bad request', 'user is {acquirer}/{sn}, such as acme/SN000001, or noc:{name}');
  return user;
}
