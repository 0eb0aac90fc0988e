/** Rows of the watch's outbox -> points (contract, InfluxDB layout: `alert`, `presence`, `merchant`). */
import type { OutboxRow } from '../owner/outbox.ts';
import type { Point } from '../store/point.ts';

const NANOS_PER_MS = 1_000_000;

/** `sequence` keeps rows of one millisecond apart; it is the same whenever the row is written again. */
export function outboxPoint(row: OutboxRow, sequence: number): Point {
  const nanos = sequence % NANOS_PER_MS;
  if (row.kind === 'transition') {
    const { id, type, severity, reason, cause, subject } = row.alert;
    const fields = { id, transition: row.transition, merchant: subject.merchant ?? '', sn: subject.terminal ?? '', reason, cause };
    return { measurement: 'alert', tags: { acquirer: subject.acquirer ?? '', type, severity }, fields, at: row.at, nanos };
  }
  const { measurement, at, acquirer, merchant } = row.row;
  if (row.row.measurement === 'presence') {
    const { sn, site, state, expected } = row.row;
    return {
      measurement,
      tags: { acquirer, merchant: merchant ?? '', site: site ?? '', sn },
      fields: { state, expected: expected ? 1 : 0 },
      at,
      nanos,
    };
  }
  const { limit, held, pending, reclaimable, headroom } = row.row;
  const fields: Record<string, number> = { held, pending, reclaimable };
  if (limit !== null && headroom !== null) Object.assign(fields, { limit, headroom });
  return { measurement, tags: { acquirer, merchant: merchant ?? '' }, fields, at, nanos };
}
