import { Hono } from 'hono';
import * as z from 'zod/mini';
import { readImport } from '../../import/csv.ts';
import { importEntries } from '../../import/entries.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { Problem } from '../problem.ts';
import { bodyOf, requireRole } from '../require.ts';

const MAX_IMPORT_BYTES = 64 << 20;
const RETRY_AFTER_SECONDS = 5;

const importBody = z.object({ files: z.array(z.object({ name: z.string(), text: z.string() })) });

export function registryRoutes(deps: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  let importing = false;

  /** All of the files or nothing: 422 names every bad row. One at a time, as each may take much memory: 503 meanwhile. */
  app.post('/imports', async (c) => {
    requireRole(c, 'admin', 'noc');
    if (importing) {
      c.header('retry-after', String(RETRY_AFTER_SECONDS));
      throw new Problem(503, 'Busy', 'another import is under way: try again when it is through');
    }
    importing = true;
    try {
      const { files } = await bodyOf(c, importBody, { maxBytes: MAX_IMPORT_BYTES });
      const result = readImport(files);
      if (!result.ok)
        throw new Problem(422, 'Nothing imported', `${result.problems.length} problems in the files`, { rows: result.problems });
      const id = deps.random(12).toString('hex');
      await deps.submit((at) => importEntries(result.changes, id, at));
      return c.json(result.report, 201);
    } finally {
      importing = false;
    }
  });

  return app;
}
