import { type Context, Hono } from 'hono';
import * as z from 'zod/mini';
import { type AlertType, REASONS, SEVERITIES } from '../../../protocol/alerts.ts';
import { epochMs, label } from '../../../protocol/schemas/common.ts';
import { ACQUIRER_PATTERN } from '../../../protocol/topics.ts';
import { LANGUAGES } from '../../../watch/alerts/remedies.ts';
import { numberKey } from '../../rows.ts';
import type { Endpoint } from '../../webhooks/endpoint.ts';
import { readSecret } from '../../webhooks/secrets.ts';
import { MAX_REPLAYED, type Wanted } from '../../webhooks/webhooks.ts';
import { acquirerOf } from '../access.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { cursorKey, limitOf, pageOf } from '../paging.ts';
import { notFound, Problem } from '../problem.ts';
import { bodyOf, queryOf, requireRole, visibleAcquirer } from '../require.ts';

/** Endpoints of one acquirer, or of all together. */
const MAX_ENDPOINTS = 50;
const ENDPOINT_KEY = /^\d{15}\.we_[0-9a-f]+$/;
const DELIVERY_KEY = /^\d{15}\.msg_[0-9a-f]+\.\d+$/;

const wanted = {
  url: z.string().check(z.maxLength(2_048)),
  types: z.nullable(z.array(oneOf(Object.keys(REASONS) as AlertType[])).check(z.minLength(1), z.maxLength(50))),
  severity: oneOf(SEVERITIES),
  merchants: z.nullable(z.array(label).check(z.minLength(1), z.maxLength(1_000))),
  description: z.string().check(z.maxLength(256)),
  language: oneOf(LANGUAGES),
};
const DEFAULTS = { types: null, severity: 'info', merchants: null, description: '', language: 'en' } as const;
const secret = z.optional(z.string().check(z.maxLength(256)));

const newEndpoint = z.strictObject({
  ...z.partial(z.object(wanted)).shape,
  url: wanted.url,
  acquirer: z.optional(z.nullable(z.string().check(z.regex(ACQUIRER_PATTERN, { error: 'not an acquirer code' })))),
  secret,
});
const endpointChange = z.strictObject({ ...z.partial(z.object(wanted)).shape, enabled: z.optional(z.boolean()) });
const rotation = z.strictObject({ secret });
const sequence = z.int().check(z.gte(1));
const selection = z.union(
  [
    z.strictObject({ fromSequence: sequence, toSequence: sequence }),
    z.strictObject({ from: epochMs, to: epochMs }),
    z.strictObject({ ids: z.array(z.string()).check(z.minLength(1), z.maxLength(1_000)) }),
  ],
  { error: 'give fromSequence and toSequence, from and to (epoch milliseconds), or 1 to 1000 ids' },
);

/** Webhooks: an acquirer manages its own, an operator everybody's. A secret that was made here is shown once. */
export function webhookRoutes({ webhooks, refusalOf }: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  const view = (endpoint: Readonly<Endpoint>) => endpointView(endpoint, webhooks.waiting(endpoint.id));

  app.get('/webhooks', (c) => {
    const { limit, cursor } = queryOf(c);
    const acquirer = visibleAcquirer(c);
    const after = cursorKey(cursor, ENDPOINT_KEY) ?? '';
    const keyed = webhooks.all().map((endpoint) => ({ key: `${numberKey(endpoint.createdAt)}.${endpoint.id}`, endpoint }));
    const rows = keyed
      .filter(({ key }) => key > after)
      .map(({ key, endpoint }) => ({ key, item: acquirer === null || endpoint.acquirer === acquirer ? view(endpoint) : undefined }));
    return c.json(pageOf(rows, limitOf(limit)));
  });

  app.post('/webhooks', async (c) => {
    const own = requireManager(c);
    const { acquirer = own, secret: given, ...rest } = await bodyOf(c, newEndpoint);
    if (own !== null && acquirer !== own) throw new Problem(403, 'Forbidden', `this token makes webhooks of ${own} alone`);
    await checkUrl(c, rest.url);
    checkSecret(given);
    if (webhooks.all().filter((endpoint) => endpoint.acquirer === acquirer).length >= MAX_ENDPOINTS)
      throw new Problem(422, 'Too many', `there may be ${MAX_ENDPOINTS} webhooks: remove one that is not needed`);
    const made = await webhooks.create(acquirer, { ...DEFAULTS, ...rest } as Wanted, given);
    return c.json({ ...view(made), ...(given === undefined && { secret: made.secrets[0]!.text }) }, 201);
  });

  app.get('/webhooks/:id', (c) => c.json(view(visible(c))));

  app.patch('/webhooks/:id', async (c) => {
    managed(c);
    const change = await bodyOf(c, endpointChange);
    if (change.url !== undefined) await checkUrl(c, change.url);
    return c.json(view(await webhooks.change(managed(c), change as Partial<Wanted>)));
  });

  app.delete('/webhooks/:id', async (c) => {
    await webhooks.remove(managed(c));
    return c.body(null, 204);
  });

  app.post('/webhooks/:id/test', async (c) => c.json(await webhooks.test(managed(c)), 202));
  app.post('/webhooks/:id/enable', async (c) => c.json(view(await webhooks.change(managed(c), { enabled: true }))));

  app.post('/webhooks/:id/rotate', async (c) => {
    managed(c);
    const { secret: given } = await bodyOf(c, rotation, { absent: {} });
    checkSecret(given);
    return c.json(await webhooks.rotate(managed(c), given));
  });

  app.post('/webhooks/:id/replay', async (c) => {
    managed(c);
    const asked = await bodyOf(c, selection);
    const events = await webhooks.replay(managed(c), asked).catch((error) => {
      if (error instanceof RangeError) throw new Problem(422, 'Too many', error.message, { limit: MAX_REPLAYED });
      throw error;
    });
    return c.json({ events }, 202);
  });

  app.get('/webhooks/:id/deliveries', (c) => {
    const { limit, cursor } = queryOf(c);
    return c.json(pageOf(webhooks.deliveries(visible(c), cursorKey(cursor, DELIVERY_KEY)), limitOf(limit)));
  });

  /** The endpoint of the path. Errors: Problem 404 where there is none, or where it is another's. */
  function visible(c: Context<ApiEnv>): Readonly<Endpoint> {
    const id = c.req.param('id') ?? '';
    const acquirer = visibleAcquirer(c);
    const endpoint = webhooks.get(id);
    if (!endpoint || (acquirer !== null && endpoint.acquirer !== acquirer)) throw notFound(`webhook ${id}`);
    return endpoint;
  }

  /** To be asked anew after each wait: meanwhile it may have been removed. Errors: Problem 403, 404. */
  function managed(c: Context<ApiEnv>): Readonly<Endpoint> {
    requireManager(c);
    return visible(c);
  }

  /**
   * Errors: Problem 422 where nothing may be delivered there. An acquirer is not told what a name means inside our network, nor whether
   * it means anything.
   */
  async function checkUrl(c: Context<ApiEnv>, text: string): Promise<void> {
    const form = 'url is an https address without a user or a password, such as https://bank.example/tillwatch (write its https:// too)';
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.hash)
      throw new Problem(422, 'Not deliverable', form);
    const refusal = await refusalOf(url).catch(
      (error: NodeJS.ErrnoException) => `${url.hostname} has no address (${error.code ?? error.message}): check the name`,
    );
    const toAcquirer = `${url.hostname} does not lead to a public address over https: check the name`;
    if (refusal !== null) throw new Problem(422, 'Not deliverable', acquirerOf(c.get('role')) === null ? refusal : toAcquirer);
  }

  return app;
}

function oneOf<T extends string>(names: readonly T[]) {
  return z.enum(names as [T], { error: `one of ${names.join(', ')}` });
}

/** Whose webhooks the sender may manage: null for everybody's. Errors: Problem 403. */
function requireManager(c: Context<ApiEnv>): string | null {
  const own = acquirerOf(c.get('role'));
  if (own === null) requireRole(c, 'admin', 'noc');
  return own;
}

/** Errors: Problem 422. */
function checkSecret(text: string | undefined): void {
  const read = text === undefined ? undefined : readSecret(text);
  if (read?.ok === false) throw new Problem(422, 'Not a secret', read.problem);
}

function endpointView({ secrets: _, disabled, ...shown }: Readonly<Endpoint>, waiting: number) {
  return { ...shown, state: disabled === null ? 'enabled' : 'disabled', disabledBecause: disabled, waiting };
}
