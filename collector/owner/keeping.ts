/**
 * What is kept of quarantine and of past alerts, and for how long: whoever reaches a listener can fill the one, and time fills the
 * other. Each row has a second one, in a table in the order in which they go; what goes is removed a part at a save.
 */
import type { Change, StateStore } from '../../backbone/state.ts';
import type { Alert } from '../../protocol/alerts.ts';
import { ALERT_ENDS, ALERT_IDS, ALERT_LOG, fromBytes, newestFirst, numberKey, QUARANTINE, type Quarantined, toBytes } from './outputs.ts';

const DAY_MS = 86_400_000;
const GIB = 1024 ** 3;

/** Quarantined rows are kept so long, and so many of each kind; bytes are those of the messages themselves. */
const KEPT_MS = 30 * DAY_MS;
const KEPT = {
  refusal: { rows: 10_000, bytes: Number.POSITIVE_INFINITY },
  message: { rows: 100_000, bytes: GIB },
  point: { rows: 100_000, bytes: GIB },
};
const RESOLVED_KEPT_MS = 400 * DAY_MS;
/** Rows of a kind that one save removes beyond as many as it adds. */
const REMOVED_ROWS = 1_000;

export type Kind = keyof typeof KEPT;
const KINDS = Object.keys(KEPT) as Kind[];
const orderOf = (kind: Kind) => `quarantine-${kind}`;

/** `dropped`: how many went before their time. */
export interface Tally {
  rows: number;
  bytes: number;
  dropped: number;
}
export type Tallies = Record<Kind, Tally>;

export function noTallies(): Tallies {
  const none = () => ({ rows: 0, bytes: 0, dropped: 0 });
  return { refusal: none(), message: none(), point: none() };
}

/** Of a row: where it is, and the bytes that it counts for. */
interface Order {
  key: string;
  bytes: number;
}

export class Quarantine {
  /** To be saved with the changes that it gives. */
  readonly tallies: Tallies;
  readonly #kept: Readonly<Record<Kind, { rows: number; bytes: number }>>;
  #added = 0;

  constructor(tallies = noTallies(), kept = KEPT) {
    this.tallies = tallies;
    this.#kept = kept;
  }

  /** `at`: when it was quarantined, from which its time runs. */
  add(row: Quarantined, kind: Kind, at = row.at): Change[] {
    const key = newestFirst(row.at, row.id);
    const bytes = row.raw === null ? 0 : Math.floor((row.raw.length * 3) / 4);
    const tally = this.tallies[kind];
    tally.rows++;
    tally.bytes += bytes;
    this.#added++;
    const order: Order = { key, bytes };
    return [
      { table: QUARANTINE, key, value: toBytes(row) },
      { table: orderOf(kind), key: `${numberKey(at)}.${row.id}`, value: toBytes(order) },
    ];
  }

  /** Removes the oldest of those in `state` that are too old or too many by now. */
  prune(state: StateStore, now: number): Change[] {
    const limit = this.#added + REMOVED_ROWS;
    this.#added = 0;
    return KINDS.flatMap((kind) => this.#pruneKind(kind, state, now - KEPT_MS, limit));
  }

  #pruneKind(kind: Kind, state: StateStore, before: number, limit: number): Change[] {
    const [tally, kept] = [this.tallies[kind], this.#kept[kind]];
    const changes: Change[] = [];
    if (tally.rows === 0) return changes;
    for (const { key, value } of state.rows(orderOf(kind))) {
      const tooMany = tally.rows > kept.rows || tally.bytes > kept.bytes;
      const tooOld = timeOf(key) < before;
      if ((!tooMany && !tooOld) || changes.length >= 2 * limit) break;
      const order = fromBytes<Order>(value);
      tally.rows--;
      tally.bytes -= order.bytes;
      if (!tooOld) tally.dropped++;
      changes.push({ table: QUARANTINE, key: order.key, value: null }, { table: orderOf(kind), key, value: null });
    }
    return changes;
  }
}

/** Removes alerts that were resolved long ago. */
export function pruneAlerts(state: StateStore, now: number): Change[] {
  const changes: Change[] = [];
  for (const { key, value } of state.rows(ALERT_ENDS)) {
    if (timeOf(key) >= now - RESOLVED_KEPT_MS || changes.length >= REMOVED_ROWS) break;
    changes.push({ table: ALERT_ENDS, key, value: null });
    const logKey = new TextDecoder().decode(value);
    const bytes = state.get(ALERT_LOG, logKey);
    const alert = bytes && fromBytes<Alert>(bytes);
    // It may have fired again since.
    if (!alert || alert.endsAt !== timeOf(key)) continue;
    changes.push({ table: ALERT_LOG, key: logKey, value: null }, { table: ALERT_IDS, key: alert.id, value: null });
  }
  return changes;
}

function timeOf(key: string): number {
  return Number(key.slice(0, key.indexOf('.')));
}
