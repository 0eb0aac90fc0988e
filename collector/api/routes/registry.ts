import { Hono } from 'hono';
import * as z from 'zod/mini';
import { readImport } from '../../import/csv.ts';
import { importEntries } from '../../import/entries.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { Problem } from '../problem.ts';
import { bodyOf, requireRole } from '../require.ts';

const importBody = z.object({ files: z.array(z.object({ name: z.string(), text: z.string() })) });

export function registryRoutes(deps: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();

  /** All of the files or nothing: 422 names every bad row. */
  app.post('/imports', async (c) => {
    requireRole(c, 'admin', 'noc');
    const { files } = await bodyOf(c, importBody);
    const result = readImport(files);
    if (!result.ok)
      throw new Problem(422, 'Nothing imported', `${result.problems.length} problems in the files`, { rows: result.problems });
    const id = deps.random(12).toString('hex');
    await deps.submit((at) => importEntries(result.changes, id, at));
    return c.json(result.report, 201);
  });

  return app;
}
