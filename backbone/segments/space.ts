/** Retention: which segments go, and whether there is room for another. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LogError } from '../log.ts';
import { neededFrom } from './consumers.ts';
import type { Disk } from './disk.ts';
import { listSegments, PREPARED } from './files.ts';
import { SegmentFile } from './segment-file.ts';

export interface Limits {
  maxAgeMs: number;
  maxBytes: number;
  reserveBytes: number;
  consumers: readonly string[];
}

/** What a log takes on its disk. */
export interface Stock {
  /** All of its files. */
  bytes: number;
  /** Of these, what may not be removed: the newest segment, and what somebody has yet to read. */
  needed: number;
}

/** What is to come: a file of `bytes` bytes, for which the disk lacks so many beside its reserve. */
interface Coming {
  bytes: number;
  lacking: number;
}

const NOTHING: Coming = { bytes: 0, lacking: 0 };

/** The space of one log. What it does, it does one after the other: two that remove the same files would stumble over each other. */
export class Space {
  readonly #dir: string;
  readonly #limits: Limits;
  readonly #disk: Disk;
  readonly #now: () => number;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(dir: string, limits: Limits, disk: Disk, now: () => number) {
    this.#dir = dir;
    this.#limits = limits;
    this.#disk = disk;
    this.#now = now;
  }

  /** Makes room for a new file of `bytes` bytes. Errors: LogError `full` where nothing more may be removed. */
  makeRoom(bytes: number): Promise<void> {
    return this.#inTurn(() => this.#makeRoom(bytes));
  }

  /** Removes what is too old or too much; what is left, and the bytes that this user may still write on its disk. */
  trim(): Promise<{ stock: Stock; free: number }> {
    return this.#inTurn(async () => ({ stock: await this.#remove(NOTHING), free: await this.#disk.freeBytes(this.#dir) }));
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(task);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #makeRoom(bytes: number): Promise<void> {
    const { maxBytes, reserveBytes } = this.#limits;
    const lacking = reserveBytes + bytes - (await this.#disk.freeBytes(this.#dir));
    const stock = await this.#remove({ bytes, lacking });
    if (stock.bytes + bytes > maxBytes) throw new LogError('full', `${this.#dir} holds ${stock.bytes} bytes of at most ${maxBytes}`);
    const free = lacking > 0 ? await this.#disk.freeBytes(this.#dir) : Number.POSITIVE_INFINITY;
    if (free - bytes >= reserveBytes) return;
    const detail = `the disk of ${this.#dir} has ${free} bytes free; ${bytes} are wanted and ${reserveBytes} are held in reserve`;
    throw new LogError('full', detail);
  }

  /**
   * Removes what is too old, or too much with what is to come, and no longer needed: the oldest first, the newest never. For the disk
   * nothing goes where all of it would not be enough.
   */
  async #remove(coming: Coming): Promise<Stock> {
    const { maxAgeMs, maxBytes, consumers } = this.#limits;
    const { segments, spare, prepared } = await stockOf(this.#dir, consumers);
    const stock: Stock = { bytes: sum(segments) + prepared, needed: sum(segments.slice(spare)) };
    let lacking = coming.lacking <= sum(segments.slice(0, spare)) ? coming.lacking : 0;
    for (let i = 0; i < spare; i++) {
      const { path, bytes } = segments[i]!;
      const tooMuch = stock.bytes + coming.bytes > maxBytes || lacking > 0;
      if (!tooMuch && previousAtOf(segments[i + 1]!.path) >= this.#now() - maxAgeMs) break;
      await rm(path);
      stock.bytes -= bytes;
      lacking -= bytes;
    }
    return stock;
  }
}

/** The segments, oldest first, and how many of the first of them nobody needs; the bytes of files that are not segments yet. */
async function stockOf(dir: string, consumers: readonly string[]) {
  const names = await listSegments(dir);
  const segments = await Promise.all(names.map(async ({ first, path }) => ({ first, path, bytes: (await stat(path)).size })));
  const needed = await neededFrom(dir, consumers);
  const spare = Math.max(
    0,
    segments.findLastIndex(({ first }) => first <= needed),
  );
  return { segments, spare, prepared: await preparedBytes(dir) };
}

/** One of them may become a segment meanwhile. */
async function preparedBytes(dir: string): Promise<number> {
  const names = (await readdir(dir)).filter((n) => n.startsWith(PREPARED));
  return sum(await Promise.all(names.map(async (n) => ({ bytes: (await stat(join(dir, n)).catch(() => ({ size: 0 }))).size }))));
}

function sum(files: readonly { bytes: number }[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}

/** The time of the last batch before a segment. */
function previousAtOf(path: string): number {
  const segment = SegmentFile.open(path);
  segment.close();
  return segment.head.previousAt;
}
