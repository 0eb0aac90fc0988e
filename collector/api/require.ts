import type { Context } from 'hono';
import type * as z from 'zod/mini';
import { acquirerOf, type Role } from './access.ts';
import type { ApiEnv } from './deps.ts';
import { Problem } from './problem.ts';

/** Lets these roles alone pass. Errors: Problem 403. */
export function requireRole(c: Context<ApiEnv>, ...allowed: Role[]): void {
  const role = c.get('role');
  if (!allowed.includes(role)) throw new Problem(403, 'Forbidden', `this needs the role ${allowed.join(' or ')}; the token has ${role}`);
}

/** The acquirer whose rows a request may see: its token's own, or the one it asks for, or null for all. Another's is as if it were not there. */
export function visibleAcquirer(c: Context<ApiEnv>): string | null {
  const own = acquirerOf(c.get('role'));
  const asked = c.req.query('acquirer');
  if (own !== null && asked !== undefined && asked !== own) throw new Problem(404, 'Not found', `there is no acquirer ${asked}`);
  return own ?? asked ?? null;
}

/** The request's JSON against a schema. Errors: Problem 400 that names each wrong member. */
export async function bodyOf<T extends z.ZodMiniType>(c: Context<ApiEnv>, schema: T): Promise<z.infer<T>> {
  const body: unknown = await c.req.json().catch(() => {
    throw new Problem(400, 'Bad request', 'the body is not JSON');
  });
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new Problem(400, 'Bad request', result.error.issues.map((i) => `${i.path.join('.') || 'body'}: ${i.message}`).join('; '));
}
