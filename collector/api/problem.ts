import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** An error answer, RFC 9457. `detail` says what to do; `members` are extensions. */
export class Problem extends Error {
  readonly status: ContentfulStatusCode;
  readonly title: string;
  readonly members: Record<string, unknown>;

  constructor(status: ContentfulStatusCode, title: string, detail: string, members: Record<string, unknown> = {}) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.title = title;
    this.members = members;
  }
}

export function problemResponse(c: Context, { status, title, message, members }: Problem): Response {
  return c.body(JSON.stringify({ type: 'about:blank', title, status, detail: message, ...members }), status, {
    'content-type': 'application/problem+json',
  });
}

export const notFound = (what: string) => new Problem(404, 'Not found', `there is no ${what}`);
