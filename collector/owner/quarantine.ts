/**
 * What was not taken in, kept where it can be listed and read again: for a time, and only so much of each kind and of each sender, for
 * whoever reaches a listener can fill it. Each row has others beside it, by its id and in the orders in which rows go.
 */
import type { Change, StateStore } from '../../backbone/state.ts';
import { fromBytes, newestFirst, numberKey, toBytes } from '../rows.ts';
import { QUARANTINE, type Quarantined } from './outputs.ts';

const MIB = 1024 ** 2;

interface Bound {
  rows: number;
  /** Of the messages themselves. */
  bytes: number;
}

const BOUNDS = {
  refusal: { all: { rows: 10_000, bytes: Number.POSITIVE_INFINITY }, sender: { rows: 1_000, bytes: Number.POSITIVE_INFINITY } },
  message: { all: { rows: 100_000, bytes: 1024 * MIB }, sender: { rows: 1_000, bytes: 10 * MIB } },
  point: { all: { rows: 100_000, bytes: 1024 * MIB }, sender: { rows: 1_000, bytes: 10 * MIB } },
};
/** Rows of a kind that one save removes beyond as many as it adds. */
const REMOVED_ROWS = 1_000;

export type Kind = keyof typeof BOUNDS;
export type Bounds = Readonly<Record<Kind, { all: Bound; sender: Bound }>>;
const KINDS = Object.keys(BOUNDS) as Kind[];

const IDS = 'quarantine-ids';
const SENDERS = 'quarantine-senders';
const orderOf = (kind: Kind) => `quarantine-${kind}`;
const senderOrderOf = (kind: Kind) => `quarantine-${kind}-by-sender`;
/** In quotes, so that no sender's name is the beginning of another's. */
const senderKey = (from: string) => JSON.stringify(from);

/** `dropped`: how many went before their time, because there were too many of all senders' or of one's. */
export interface Tally {
  rows: number;
  bytes: number;
  dropped: { all: number; sender: number };
}
export type Tallies = Record<Kind, Tally>;

export function noTallies(): Tallies {
  const none = () => ({ rows: 0, bytes: 0, dropped: { all: 0, sender: 0 } });
  return { refusal: none(), message: none(), point: none() };
}

/** Of a row: where it is, and what it counts for. One that was replayed leaves this much, so that it is not replayed again. */
interface Filed {
  kind: Kind;
  from: string;
  key: string;
  order: string;
  bytes: number;
  replayedAt?: number;
}

export class Quarantine {
  /** To be saved with the changes that it gives. */
  readonly tallies: Tallies;
  readonly #state: StateStore;
  readonly #keptMs: number;
  readonly #bounds: Bounds;
  #added = 0;
  /** What senders have, where the last save does not say it yet. */
  #senders = new Map<string, Bound>();
  #saving = new Map<string, Bound>();
  readonly #over = new Map<string, { kind: Kind; from: string }>();
  /** When rows were replayed, and which were removed, where the last save does not say it yet. */
  readonly #left = new Map<string, number>();
  #removed = new Set<string>();

  constructor(state: StateStore, keptMs: number, tallies = noTallies(), bounds: Bounds = BOUNDS) {
    this.#state = state;
    this.#keptMs = keptMs;
    this.tallies = tallies;
    this.#bounds = bounds;
  }

  /** `at`: when it was quarantined, from which its time runs. */
  add(row: Quarantined, kind: Kind, at = row.at): Change[] {
    const { id, from } = row;
    const bytes = row.raw === null ? 0 : Math.floor((row.raw.length * 3) / 4);
    const filed: Filed = { kind, from, key: newestFirst(row.at, id), order: `${numberKey(at)}.${id}`, bytes };
    this.#count(filed, 1, bytes);
    this.#added++;
    return [{ table: QUARANTINE, key: filed.key, value: toBytes(row) }, ...placesOf(id, filed, toBytes(id), toBytes(filed))];
  }

  /** A row that was saved; undefined where there is none, or none any more. */
  find(id: string): Quarantined | undefined {
    const filed = this.#filed(id);
    const bytes = filed && !this.#left.has(id) ? this.#state.get(QUARANTINE, filed.key) : undefined;
    return bytes && fromBytes<Quarantined>(bytes);
  }

  /** Whether a row that is still listed has left. */
  isLeaving(id: string): boolean {
    return this.#left.has(id);
  }

  /** When a row left by being replayed. */
  replayedAt(id: string): number | undefined {
    return this.#left.get(id) ?? this.#filed(id)?.replayedAt;
  }

  /** A row leaves, having been replayed at this time. */
  leave(id: string, at: number): Change[] {
    const filed = this.#filed(id);
    if (!filed || this.replayedAt(id) !== undefined) return [];
    this.#count(filed, 0, -filed.bytes);
    this.#left.set(id, at);
    return [
      { table: QUARANTINE, key: filed.key, value: null },
      { table: IDS, key: id, value: toBytes({ ...filed, bytes: 0, replayedAt: at }) },
    ];
  }

  /** Removes the oldest of the saved rows that are too old or too many by now. To be called once in each save, when the one before is durable. */
  prune(now: number): Change[] {
    const limit = this.#added + REMOVED_ROWS;
    this.#added = 0;
    this.#removed = new Set();
    for (const id of this.#left.keys()) if (this.#filed(id)?.replayedAt !== undefined) this.#left.delete(id);
    const changes = [...this.#pruneSenders(limit), ...KINDS.flatMap((kind) => this.#pruneKind(kind, now - this.#keptMs, limit))];
    this.#saving = this.#senders;
    this.#senders = new Map();
    for (const [key, { rows, bytes }] of this.#saving) {
      changes.push({ table: SENDERS, key, value: rows === 0 ? null : toBytes({ rows, bytes }) });
    }
    return changes;
  }

  #pruneKind(kind: Kind, before: number, limit: number): Change[] {
    const [tally, { all }] = [this.tallies[kind], this.#bounds[kind]];
    const changes: Change[] = [];
    if (tally.rows === 0) return changes;
    let rows = 0;
    for (const { key, value } of this.#state.rows(orderOf(kind))) {
      const tooOld = timeOf(key) < before;
      if ((!tooOld && !isOver(tally, all)) || rows++ >= limit) break;
      changes.push(...this.#remove(fromBytes(value), tooOld ? undefined : 'all'));
    }
    return changes;
  }

  /** One broken firmware must not push out what others sent. */
  #pruneSenders(limit: number): Change[] {
    const changes: Change[] = [];
    let rows = 0;
    for (const [key, { kind, from }] of this.#over) {
      const prefix = senderKey(from);
      const { sender } = this.#bounds[kind];
      for (const row of this.#state.rows(senderOrderOf(kind), { after: prefix })) {
        if (!row.key.startsWith(prefix) || !isOver(this.#sender(kind, from), sender)) break;
        if (rows++ >= limit) return changes;
        changes.push(...this.#remove(fromBytes(row.value), 'sender'));
      }
      if (!isOver(this.#sender(kind, from), sender)) this.#over.delete(key);
    }
    return changes;
  }

  #remove(id: string, dropped: 'all' | 'sender' | undefined): Change[] {
    const filed = this.#filed(id);
    if (!filed) return [];
    const left = this.replayedAt(id) !== undefined;
    this.#count(filed, -1, left ? 0 : -filed.bytes);
    this.#removed.add(id);
    if (dropped && !left) this.tallies[filed.kind].dropped[dropped]++;
    return [{ table: QUARANTINE, key: filed.key, value: null }, ...placesOf(id, filed, null, null)];
  }

  #count({ kind, from }: Filed, rows: number, bytes: number): void {
    const sender = this.#sender(kind, from);
    for (const count of [this.tallies[kind], sender]) {
      count.rows += rows;
      count.bytes += bytes;
    }
    if (isOver(sender, this.#bounds[kind].sender)) this.#over.set(`${kind}${from}`, { kind, from });
  }

  #sender(kind: Kind, from: string): Bound {
    const key = `${kind}${senderKey(from)}`;
    const known = this.#senders.get(key);
    if (known) return known;
    const saved = this.#state.get(SENDERS, key);
    const tally = { ...(this.#saving.get(key) ?? (saved ? fromBytes<Bound>(saved) : { rows: 0, bytes: 0 })) };
    this.#senders.set(key, tally);
    return tally;
  }

  #filed(id: string): Filed | undefined {
    const bytes = this.#removed.has(id) ? undefined : this.#state.get(IDS, id);
    return bytes && fromBytes<Filed>(bytes);
  }
}

function placesOf(id: string, { kind, from, order }: Filed, value: Uint8Array | null, filed: Uint8Array | null): Change[] {
  return [
    { table: IDS, key: id, value: filed },
    { table: orderOf(kind), key: order, value },
    { table: senderOrderOf(kind), key: `${senderKey(from)}${order}`, value },
  ];
}

function isOver({ rows, bytes }: Bound, most: Bound): boolean {
  return rows > most.rows || bytes > most.bytes;
}

function timeOf(key: string): number {
  return Number(key.slice(0, key.indexOf('.')));
}
