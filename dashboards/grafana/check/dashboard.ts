/** What of a dashboard's JSON the checks read; all else is Grafana's. */
import * as z from 'zod/mini';

const override = z.object({
  matcher: z.object({ id: z.string(), options: z.optional(z.unknown()) }),
  properties: z.array(z.object({ id: z.string(), value: z.optional(z.unknown()) })),
});

const panel = z.object({
  type: z.string(),
  title: z.optional(z.string()),
  interval: z.optional(z.string()),
  targets: z.optional(
    z.array(
      z.object({ refId: z.string(), query: z.optional(z.string()), datasource: z.optional(z.object({ uid: z.optional(z.string()) })) }),
    ),
  ),
  transformations: z.optional(z.array(z.object({ id: z.string(), options: z.optional(z.unknown()) }))),
  fieldConfig: z.optional(
    z.object({
      defaults: z.optional(z.object({ displayName: z.optional(z.string()), links: z.optional(z.array(z.object({ url: z.string() }))) })),
      overrides: z.optional(z.array(override)),
    }),
  ),
});

const variable = z.object({
  name: z.string(),
  query: z.string(),
  includeAll: z.optional(z.boolean()),
  allValue: z.optional(z.string()),
});

const schema = z.object({
  uid: z.string(),
  title: z.string(),
  time: z.object({ from: z.string(), to: z.string() }),
  links: z.optional(z.array(z.object({ url: z.optional(z.string()) }))),
  templating: z.object({ list: z.array(variable) }),
  panels: z.array(panel),
});

export type Dashboard = z.infer<typeof schema>;
export type Panel = Dashboard['panels'][number];

/** A dashboard from its file's text, or why it is none. */
export function readDashboard(text: string): { ok: true; value: Dashboard } | { ok: false; problem: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { ok: false, problem: `not JSON: ${(error as Error).message}` };
  }
  const read = schema.safeParse(json);
  if (read.success) return { ok: true, value: read.data };
  const [issue] = read.error.issues;
  return { ok: false, problem: `not a dashboard: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'of another form'}` };
}

export function nameOf({ title, type }: Panel): string {
  return title ?? `a ${type} panel without a title`;
}
