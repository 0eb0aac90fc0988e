import type { Ask } from './installation.ts';

/** All items of a list of the API, page after page. */
export async function* listed(ask: Ask, path: string, query = new URLSearchParams()): AsyncGenerator<Record<string, unknown>> {
  for (let cursor: unknown = null; ; ) {
    if (cursor !== null) query.set('cursor', String(cursor));
    const page = await ask('GET', query.size > 0 ? `${path}?${query}` : path);
    yield* page.items as Record<string, unknown>[];
    cursor = page.next;
    if (cursor === null) return;
  }
}
