/**
 * The registry: what the acquirer says of its merchants and terminals. One schema a table, its columns as in the CSV files.
 * Numbers and booleans may be given as such or as text; a blank is absent.
 */
import * as z from 'zod/mini';
import { describeIssue } from './codec/problem.ts';
import { datum, label, timeZone } from './schemas/common.ts';
import { ACQUIRER_PATTERN, SN_PATTERN } from './topics.ts';

export const LIFECYCLES = ['pending', 'active', 'inactive', 'swapped_out', 'blacklisted', 'deleted'] as const;
export type Lifecycle = (typeof LIFECYCLES)[number];

const acquirer = z.string().check(z.regex(ACQUIRER_PATTERN, { error: 'not an acquirer code: a-z, 0-9 and -, at most 32' }));
const sn = z.string().check(z.regex(SN_PATTERN, { error: 'not a serial number: letters, digits and -, 4 to 32' }));
const date = z.string().check(z.refine(isDate, { error: 'not a date, YYYY-MM-DD' }));

const DECIMAL = /^[+-]?\d{1,15}(\.\d{1,15})?$/;

/** What a CSV cell or a JSON member may be: blank text is absent, and digits are a number. */
const numeric = <T extends z.ZodMiniType<number>>(inner: T) =>
  z.optional(
    z.pipe(
      z.transform((v: unknown) => (typeof v === 'string' && DECIMAL.test(v) ? Number(v) : v)),
      inner,
    ),
  );
const FLAGS = new Map([
  ['true', true],
  ['false', false],
]);
const flag = z.optional(
  z.pipe(
    z.transform((v: unknown) => (typeof v === 'string' ? (FLAGS.get(v.toLowerCase()) ?? v) : v)),
    z.boolean(),
  ),
);
const slots = () => numeric(z.int().check(z.gte(0), z.lte(10_000_000)));

/** `terminal_limit` caps what is bound at once, from `limit_from` on; `bind_limit` binds in any `bind_days` days caps the pace. */
const merchantRow = z.object({
  acquirer,
  merchant: label,
  name: z.optional(label),
  terminal_limit: slots(),
  limit_from: z.optional(date),
  limit_reason: z.optional(label),
  bind_limit: slots(),
  bind_days: slots(),
  region: z.optional(label),
  tz: z.optional(timeZone),
});

const terminalRow = z.object({
  acquirer,
  merchant: label,
  site: z.optional(label),
  sn,
  tid: z.optional(label),
  model: z.optional(label),
  lifecycle: z._default(z.enum(LIFECYCLES), 'active'),
  peripheral_limit: slots(),
  lat: numeric(z.number().check(z.refine((v) => Math.abs(v) <= 90, { error: 'not a latitude, -90 to 90: are lat and lon swapped?' }))),
  lon: numeric(z.number().check(z.refine((v) => Math.abs(v) <= 180, { error: 'not a longitude, -180 to 180' }))),
  datum: z.optional(datum),
  use: z.optional(z.enum(['fixed', 'mobile'])),
});

const scopeRow = z.object({
  acquirer,
  merchant: z.optional(label),
  sn: z.optional(sn),
  region: z.optional(label),
  card: z.optional(label),
  kind: z.optional(label),
  open: flag,
  since: z.optional(date),
});

const modelRow = z.object({ model: label, peripherals: slots(), min_app: z.optional(label) });

const bindingRow = z.discriminatedUnion('op', [
  z.object({ op: z.literal('bind'), acquirer, merchant: label, site: z.optional(label), sn, tid: z.optional(label) }),
  z.object({ op: z.literal('unbind'), acquirer, sn }),
  z.object({ op: z.literal('swap'), acquirer, old_sn: sn, new_sn: sn }),
]);

const schemas = {
  merchants: merchantRow,
  terminals: terminalRow,
  scopes: scopeRow,
  models: modelRow,
  bindings: bindingRow,
} as const;

export type Table = keyof typeof schemas;
export const TABLES = Object.keys(schemas) as Table[];

export type MerchantRow = z.infer<typeof merchantRow>;
export type TerminalRow = z.infer<typeof terminalRow>;
export type BindingRow = z.infer<typeof bindingRow>;

/** One change of the registry. */
export type RegistryChange = { [T in Table]: { table: T; row: z.infer<(typeof schemas)[T]> } }[Table];

export type Checked<T> = { ok: true; value: T } | { ok: false; problems: string[] };

/** A row as it came, from CSV or JSON, against its table's schema. The problems name the column and say what was wrong. */
export function checkRow(table: Table, row: Record<string, unknown>): Checked<RegistryChange> {
  const trimmed = Object.entries(row).map(([column, v]) => [column, typeof v === 'string' ? v.trim() : v] as const);
  const present = Object.fromEntries(trimmed.filter(([, v]) => v !== null && v !== ''));
  const result = schemas[table].safeParse(present);
  if (result.success) return { ok: true, value: { table, row: result.data } as RegistryChange };
  return { ok: false, problems: result.error.issues.map(describeIssue) };
}

function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (!match) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
