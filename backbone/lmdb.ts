import { statfsSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { stateErrorOf } from './lmdb-errors.ts';
import { bothSlots, type Row, rowRange, rowText, sameRow, slotKeys } from './lmdb-row.ts';
import { type Change, StateError, type StateStore } from './state.ts';
import { checkChange } from './state-key.ts';

/** An entry's value: generation f64 big-endian, u8 PUT or REMOVED, then the row's value. */
const HEAD_BYTES = 9;
const PUT = 1;
const REMOVED = 0;
/** No table has an empty name, so these keys stand before every row. */
const COMMITTED = Buffer.from([0, 0]);
const STAGING = Buffer.from([0, 1]);
const FIRST_ROW = Buffer.from([0, 2]);
const CLEAN_UP_ROWS = 1_000;
/** Removed rows whose entries one write drops: it must not hold the event loop for long. */
const DROPPED_ROWS = 1_000;
/** What a write may add to the file at most: two pages for each row, its value, and what LMDB needs for itself. */
const BYTES_OF_A_ROW = 8_192;
const BYTES_OF_ANY_WRITE = 256 * 1024;

type Entries = RootDatabase<Buffer, Buffer>;

/** Opens the state in a folder, and makes it where it is missing. For one process at a time. */
export async function openLmdbState(path: string): Promise<StateStore> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  // With overlapping syncs a commit would be seen before it is durable. With batches by event turn a commit that fails rejects a
  // promise of the binding's own, too, which nobody can catch.
  const entries: Entries = open({
    path,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
    eventTurnBatching: false,
    noSubdir: false,
  });
  await Promise.all(['data.mdb', 'lock.mdb'].map((name) => chmod(join(path, name), 0o600)));
  const store = new LmdbState(entries, path);
  await store.removeLeftovers();
  return store;
}

/**
 * Every row has two slots, and each slot says in which save (generation) it was written. A save writes the slot that does not hold
 * the newest committed value: nothing is written twice, and the old value stands until the save's own number is committed, which is
 * one small write. What a save that never ended left behind is removed when the state is opened.
 */
class LmdbState implements StateStore {
  readonly #entries: Entries;
  readonly #path: string;
  #committed: number;
  /** Rows removed by a save, by their first slot; a later save drops their entries. */
  readonly #removed = new Map<string, Row>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(entries: Entries, path: string) {
    this.#entries = entries;
    this.#path = path;
    this.#committed = numberAt(entries, COMMITTED);
  }

  /** The mark of the unfinished save goes last, so that a crash in here begins again. */
  async removeLeftovers(): Promise<void> {
    const entries = this.#entries;
    if (numberAt(entries, STAGING) <= this.#committed) return;
    let leftovers: Buffer[] = [];
    const removeThem = async () => {
      const keys = leftovers;
      leftovers = [];
      this.#checkRoom(keys.length, 0);
      await this.#transaction(() => {
        for (const key of keys) entries.removeSync(key);
      });
    };
    for (const { key, value } of entries.getRange({ start: FIRST_ROW })) {
      if (generationOf(value) > this.#committed) leftovers.push(key);
      if (leftovers.length >= CLEAN_UP_ROWS) await removeThem();
    }
    await removeThem();
    await this.#transaction(() => void entries.putSync(STAGING, numberBytes(this.#committed)));
  }

  *rows(table: string, range?: { after: string }): Iterable<{ key: string; value: Uint8Array }> {
    const committed = this.#committed;
    const bounds = rowRange(table, range?.after);
    let row: Buffer | undefined;
    let best: Buffer | undefined;
    for (const { key, value } of this.#entries.getRange(bounds)) {
      if (row && !sameRow(row, key)) {
        const found = this.#valueOf(row, best);
        if (found) yield { key: rowText(row, bounds.prefixBytes), value: found };
        best = undefined;
      }
      row = key;
      if (visible(value, committed) > visible(best, committed)) best = value;
    }
    const found = row && this.#valueOf(row, best);
    if (row && found) yield { key: rowText(row, bounds.prefixBytes), value: found };
  }

  get(table: string, key: string): Uint8Array | undefined {
    const [one, two] = slotKeys(table, key).map((slot) => this.#entries.get(slot)) as [Buffer | undefined, Buffer | undefined];
    const best = visible(one, this.#committed) > visible(two, this.#committed) ? one : two;
    return visible(best, this.#committed) > 0 && best![8] === PUT ? best!.subarray(HEAD_BYTES) : undefined;
  }

  async stage(changes: readonly Change[]): Promise<void> {
    for (const change of changes) checkChange(change);
    await this.#inTurn(() => this.#write(changes, false));
  }

  async commit(changes: readonly Change[]): Promise<void> {
    for (const change of changes) checkChange(change);
    await this.#inTurn(async () => {
      await this.#write(changes, true);
      this.#committed++;
    });
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#entries.close());
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** What throws within one has its earlier writes committed: unseen while the save's own number, which comes last, is not. */
  async #transaction(writes: () => void): Promise<void> {
    try {
      await this.#entries.transaction(writes);
    } catch (error) {
      throw await stateErrorOf(error);
    }
  }

  async #write(changes: readonly Change[], last: boolean): Promise<void> {
    const entries = this.#entries;
    const generation = this.#committed + 1;
    const droppable = this.#droppable();
    this.#checkRoom(
      changes.length,
      changes.reduce((sum, { value }) => sum + (value?.length ?? 0), 0),
    );
    await this.#transaction(() => {
      for (const [, row] of droppable) this.#dropRemoved(row);
      for (const { table, key, value } of changes) this.#put(slotKeys(table, key), value, generation);
      entries.putSync(last ? COMMITTED : STAGING, numberBytes(generation));
    });
    for (const [key] of droppable) this.#removed.delete(key);
    for (const { table, key, value } of changes) if (value === null) this.#noteRemoved(slotKeys(table, key));
  }

  /**
   * LMDB must not find out by itself that the disk is full: putting its error together it writes beyond its own memory (3.5.6), and the
   * process may end by that. Errors: a StateError `full`.
   */
  #checkRoom(rows: number, valueBytes: number): void {
    const { bavail, bsize } = statfsSync(this.#path);
    const free = bavail * bsize;
    const needed = BYTES_OF_ANY_WRITE + rows * BYTES_OF_A_ROW + 2 * valueBytes;
    if (free < needed) throw new StateError('full', `${free} bytes are free, and ${needed} may be needed`);
  }

  /** Those that this save has not removed or put: until its commit an entry of before is what is seen. */
  #droppable(): [string, Row][] {
    const oldest: [string, Row][] = [];
    for (const entry of this.#removed) {
      if (oldest.length === DROPPED_ROWS) break;
      oldest.push(entry);
    }
    return oldest.filter(([, row]) => row.every((slot) => generationOf(this.#entries.get(slot)) <= this.#committed));
  }

  #put(row: Row, value: Uint8Array | null, generation: number): void {
    const slots = row.map((key) => this.#entries.get(key)) as [Buffer | undefined, Buffer | undefined];
    if (value === null && !slots[0] && !slots[1]) return;
    const [one, two] = slots.map(generationOf) as [number, number];
    const slot = one === generation || (two !== generation && one <= two) ? 0 : 1;
    const bytes = Buffer.allocUnsafe(HEAD_BYTES + (value?.length ?? 0));
    bytes.writeDoubleBE(generation);
    bytes[8] = value ? PUT : REMOVED;
    if (value) bytes.set(value, HEAD_BYTES);
    this.#entries.putSync(row[slot], bytes);
  }

  #dropRemoved(row: Row): void {
    const slots = row.map((key) => this.#entries.get(key)).filter((slot) => slot !== undefined);
    const newest = slots.sort((a, b) => generationOf(b) - generationOf(a))[0];
    if (!newest || newest[8] !== REMOVED) return;
    for (const key of row) this.#entries.removeSync(key);
  }

  /** The value in the newest committed slot of a row; a removed row is noted for dropping. */
  #valueOf(slotKey: Buffer, slot: Buffer | undefined): Uint8Array | undefined {
    if (!slot) return undefined;
    if (slot[8] === PUT) return slot.subarray(HEAD_BYTES);
    this.#noteRemoved(bothSlots(slotKey));
    return undefined;
  }

  #noteRemoved(row: Row): void {
    this.#removed.set(row[0].toString('latin1'), row);
  }
}

/** The generation of an entry, or 0 where its save is not committed. */
function visible(entry: Buffer | undefined, committed: number): number {
  const generation = generationOf(entry);
  return generation <= committed ? generation : 0;
}

function generationOf(entry: Buffer | undefined): number {
  return entry?.readDoubleBE(0) ?? 0;
}

function numberAt(entries: Entries, key: Buffer): number {
  return entries.get(key)?.readDoubleBE(0) ?? 0;
}

function numberBytes(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}
