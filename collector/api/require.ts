import type { Context } from 'hono';
import type * as z from 'zod/mini';
import { acquirerOf, type Role } from './access.ts';
import type { ApiEnv } from './deps.ts';
import { Problem } from './problem.ts';

const MAX_BODY_BYTES = 64 << 10;

/** Lets these roles alone pass. Errors: Problem 403. */
export function requireRole(c: Context<ApiEnv>, ...allowed: Role[]): void {
  const role = c.get('role');
  if (!allowed.includes(role)) throw new Problem(403, 'Forbidden', `this needs the role ${allowed.join(' or ')}; the token has ${role}`);
}

/** The query's members; a blank one is as if it were not there. */
export function queryOf(c: Context<ApiEnv>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(c.req.query()).filter(([, value]) => value !== ''));
}

/** The acquirer whose rows a request may see: its token's own, or the one it asks for, or null for all. Another's is as if it were not there. */
export function visibleAcquirer(c: Context<ApiEnv>): string | null {
  const own = acquirerOf(c.get('role'));
  const asked = queryOf(c).acquirer;
  if (own !== null && asked !== undefined && asked !== own) throw new Problem(404, 'Not found', `there is no acquirer ${asked}`);
  return own ?? asked ?? null;
}

/**
 * The request's JSON against a schema; nothing of a body is read before this is called. `absent`: what no body at all stands for.
 * Errors: Problem 413 beyond `maxBytes`, 400 that names each wrong member.
 */
export async function bodyOf<T extends z.ZodMiniType>(
  c: Context<ApiEnv>,
  schema: T,
  { maxBytes = MAX_BODY_BYTES, absent }: { maxBytes?: number; absent?: unknown } = {},
): Promise<z.infer<T>> {
  const text = await textOf(c.req.raw, maxBytes);
  const result = schema.safeParse(text === '' && absent !== undefined ? absent : parsed(text));
  if (result.success) return result.data;
  throw new Problem(400, 'Bad request', result.error.issues.map(wordsOf).join('; '));
}

/** What is wrong with which member. */
function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${[...issue.path, key].join('.')}: cannot be given`).join('; ');
  return `${issue.path.join('.') || 'body'}: ${issue.message}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, 'Bad request', 'the body is not JSON');
  }
}

async function textOf({ headers, body }: Request, maxBytes: number): Promise<string> {
  const tooLarge = new Problem(413, 'Too large', `the body may have at most ${maxBytes} bytes`);
  if (Number(headers.get('content-length')) > maxBytes) throw tooLarge;
  // Not iterated: leaving a loop over a body would cut the connection before the answer is out.
  const reader = body?.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  while (reader) {
    const { done, value } = await reader.read().catch(() => {
      throw new Problem(400, 'Bad request', 'the body ended too early');
    });
    if (done) break;
    bytes += value.length;
    if (bytes > maxBytes) throw tooLarge;
    chunks.push(value);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}
