/** Silences and maintenance, as operators' entries of the log ask for them (contract, section 5, the replay format). */
import * as z from 'zod/mini';
import { type AlertType, REASONS, type Subject } from './alerts.ts';
import { describeIssue } from './codec/problem.ts';
import type { Checked } from './registry.ts';
import { epochMs, label } from './schemas/common.ts';

const named = z.optional(z.nullable(label));

/** Members of an alert's subject, and its type: what is named has to be so. Null is not named, so that a subject can be copied. */
export const match = z.strictObject({
  type: z.optional(z.enum(Object.keys(REASONS) as [AlertType], { error: 'not a type of alert' })),
  ...({
    acquirer: named,
    merchant: named,
    site: named,
    terminal: named,
    operator: named,
    cell: named,
    app: named,
    card: named,
    kind: named,
    class: named,
  } satisfies Record<keyof Subject, unknown>),
});
export type Match = Partial<Record<keyof Subject | 'type', string>>;

/** A silence holds notices, maintenance says that downtime is planned. Times are epoch milliseconds; `until` null: until it is ended. */
export interface OperatorWindow {
  id: string;
  op: 'silence' | 'maintenance';
  match: Match;
  from: number;
  until: number | null;
  by: string | null;
}

const time = z.optional(z.nullable(epochMs));
const action = z.discriminatedUnion('op', [
  z.object({ op: z.enum(['silence', 'maintenance']), id: named, match, from: time, until: time, by: named }),
  z.object({ op: z.literal('end'), id: label, by: named }),
]);
export type WindowAction = z.infer<typeof action>;

/** Null where the body asks for something else. */
export function readWindowAction(body: Record<string, unknown>): Checked<WindowAction> | null {
  if (body.op !== 'silence' && body.op !== 'maintenance' && body.op !== 'end') return null;
  const result = action.safeParse(body);
  if (!result.success) return { ok: false, problems: result.error.issues.map(describeIssue) };
  const { data } = result;
  if (data.op !== 'end' && data.from != null && data.until != null && data.until <= data.from)
    return { ok: false, problems: ['until: not after from'] };
  return { ok: true, value: data };
}

/** What a match names. */
export function namedIn(members: z.infer<typeof match>): Match {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value != null)) as Match;
}
