import { mkdir, readdir } from 'node:fs/promises';
import { AgentError, briefly } from './errors.ts';
import { encodeFrame, type Message } from './outbox/frame.ts';
import { lockFolder } from './outbox/lock.ts';
import { removeOrphans, Segment } from './outbox/segment.ts';

export type { Message } from './outbox/frame.ts';

/** A terminal's disk is small. */
export const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;

/** The oldest messages are dropped by whole files, so a file is this part of the outbox. */
const SEGMENTS = 16;

export interface OutboxOptions {
  /** Made where it is missing. One process at a time. */
  dir: string;
  maxBytes?: number;
  /** Called when the outbox was full, with how many of the oldest messages were dropped unsent. */
  onDropped?: (messages: number) => void;
}

export interface Stored extends Message {
  id: number;
}

interface Waiting {
  frame: Buffer;
  id: number;
  resolve: (id: number) => void;
  reject: (error: AgentError) => void;
}

/**
 * The queue of messages on disk. A message is in it, durably, before it is sent, and until it is acknowledged. Ids rise in the order of
 * `put`. What is put while a write is under way shares the next write and its one fdatasync.
 */
export class Outbox {
  readonly dir: string;
  readonly maxBytes: number;
  /** Messages dropped unsent because the outbox was full, since it was opened. Their `seq` is a gap that the other end sees. */
  dropped = 0;
  #options: OutboxOptions;
  #unlock: () => void;
  #segments: Segment[];
  #lastId: number;
  #waiting: Waiting[] = [];
  #acked: number[] = [];
  #work: Promise<void> | null = null;

  private constructor(options: OutboxOptions, unlock: () => void, segments: Segment[]) {
    this.dir = options.dir;
    this.maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#options = options;
    this.#unlock = unlock;
    this.#segments = segments;
    this.#lastId = segments.at(-1)?.lastId ?? 0;
  }

  /** Errors: AgentError `outbox_locked`, `outbox_failed`. */
  static async open(options: OutboxOptions): Promise<Outbox> {
    let unlock = () => {};
    try {
      await mkdir(options.dir, { recursive: true, mode: 0o700 });
      unlock = lockFolder(options.dir);
      return new Outbox(options, unlock, await recoverAll(options.dir));
    } catch (error) {
      unlock();
      throw error instanceof AgentError ? error : new AgentError('outbox_failed', `${options.dir}: ${briefly(error)}`, { cause: error });
    }
  }

  /** Messages that are not yet acknowledged, those under way to the disk too. */
  get size(): number {
    return this.#segments.reduce((n, s) => n + s.pending, 0) + this.#waiting.length;
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#segments.reduce((n, s) => n + s.bytes, 0);
  }

  /** What a crash left torn in its files, and was cut when it was opened. */
  get cutBytes(): number {
    return this.#segments.reduce((n, s) => n + s.cutBytes, 0);
  }

  /** The id that was given last, whether or not its message is durable yet. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Resolves with the message's id once it is durable. Rejects with AgentError `outbox_failed`, and then it is not in the outbox. */
  put(message: Message): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ frame: encodeFrame(message), id: ++this.#lastId, resolve, reject });
      this.#kick();
    });
  }

  /** The first `n` durable, unacknowledged messages with ids after `afterId`, up to and with `throughId`. */
  async next(afterId: number, n: number, throughId = Number.POSITIVE_INFINITY): Promise<Stored[]> {
    const found: Stored[] = [];
    for (const segment of [...this.#segments]) {
      const last = Math.min(segment.lastId, throughId);
      for (let id = Math.max(afterId + 1, segment.firstId); id <= last && found.length < n; id++) {
        const message = segment.isPending(id) ? await segment.read(id) : undefined;
        if (message) found.push({ id, ...message });
      }
    }
    return found;
  }

  /** One that was dropped meanwhile, or acknowledged already, is nothing. */
  ack(id: number): void {
    this.#segments.find((s) => s.firstId <= id && id <= s.lastId)?.markAcked(id);
    this.#acked.push(id);
    this.#kick();
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    while (this.#work) await this.#work;
    for (const segment of this.#segments) await segment.close();
    this.#unlock();
  }

  #kick(): void {
    this.#work ??= this.#drain().finally(() => {
      this.#work = null;
      if (this.#waiting.length + this.#acked.length > 0) this.#kick();
    });
  }

  async #drain(): Promise<void> {
    await Promise.resolve();
    await this.#writeAcks(this.#acked.splice(0));
    await this.#dropAcknowledged();
    const batch = this.#takeBatch();
    if (batch.length === 0) return;
    try {
      const segment = await this.#segmentFor(batch);
      await segment.append(batch.map((w) => w.frame));
      for (const { resolve, id } of batch) resolve(id);
    } catch (error) {
      const failure = new AgentError('outbox_failed', `${this.#options.dir}: ${briefly(error)}`, { cause: error });
      for (const { reject } of batch) reject(failure);
    } finally {
      this.#waiting.splice(0, batch.length);
    }
  }

  /** No more than a segment's worth: a batch lies in one file. It stays in line until it is durable. */
  #takeBatch(): Waiting[] {
    let bytes = 0;
    const end = this.#waiting.findIndex(({ frame }) => {
      bytes += frame.length;
      return bytes >= this.#segmentBytes;
    });
    return this.#waiting.slice(0, end === -1 ? undefined : end + 1);
  }

  async #segmentFor(batch: readonly Waiting[]): Promise<Segment> {
    const active = this.#segments.at(-1);
    const bytes = batch.reduce((n, w) => n + w.frame.length, 0);
    if (active && !active.sealed && active.bytes < this.#segmentBytes && active.lastId + 1 === batch[0]!.id) {
      await this.#makeRoom(bytes, 1);
      return active;
    }
    await this.#makeRoom(bytes, 0);
    const created = await Segment.create(this.#options.dir, batch[0]!.id);
    this.#segments.push(created);
    return created;
  }

  /** Drops the oldest files until `bytes` more fit, but the last `kept` files stay. */
  async #makeRoom(bytes: number, kept: number): Promise<void> {
    let dropped = 0;
    while (this.#segments.length > kept && this.bytes + bytes > this.maxBytes) {
      const oldest = this.#segments.shift()!;
      dropped += oldest.pending;
      await oldest.remove();
    }
    this.dropped += dropped;
    if (dropped > 0) this.#options.onDropped?.(dropped);
  }

  async #writeAcks(ids: readonly number[]): Promise<void> {
    for (const segment of this.#segments) {
      const own = ids.filter((id) => segment.firstId <= id && id <= segment.lastId);
      if (own.length > 0) await segment.writeAcks(own).catch(ignoreLostAck);
    }
  }

  async #dropAcknowledged(): Promise<void> {
    const done = this.#segments.filter((s, i) => s.pending === 0 && (s.sealed || i < this.#segments.length - 1));
    this.#segments = this.#segments.filter((s) => !done.includes(s));
    for (const segment of done) await segment.remove().catch(ignoreLostAck);
  }

  get #segmentBytes(): number {
    return Math.floor(this.maxBytes / SEGMENTS);
  }
}

async function recoverAll(dir: string): Promise<Segment[]> {
  const names = (await readdir(dir)).sort();
  await removeOrphans(dir, names);
  const segments = await Promise.all(names.map((name) => Segment.recover(dir, name)));
  return segments.filter((s) => s !== null);
}

/** On a failing disk an acknowledgement that is not kept means no more than a message sent twice. */
function ignoreLostAck(): void {}
