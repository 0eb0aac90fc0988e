import { constants, type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeBody, type Extent, FRAME_HEAD_BYTES, type Message, scanFrames } from './frame.ts';

const SUFFIX = '.messages';
const ACK_SUFFIX = '.acks';
const ACK_BYTES = 8;

/**
 * One file of messages with the ids `firstId`, `firstId + 1`, …, and beside it the file of those that were acknowledged: each as its
 * index and the index's complement, so that bytes that a crash left behind are never read as an acknowledgement.
 */
export class Segment {
  readonly firstId: number;
  /** How much of the file is whole messages. */
  bytes = 0;
  /** What a crash left torn at the end of the file, and was cut. */
  cutBytes = 0;
  /** Nothing may be appended any more. */
  sealed = false;
  /** Messages without an acknowledgement. */
  pending = 0;
  #path: string;
  #file!: FileHandle;
  #acks!: FileHandle;
  #extents: Extent[] = [];
  #acked: boolean[] = [];
  #ackBytes = 0;

  private constructor(dir: string, firstId: number) {
    this.firstId = firstId;
    this.#path = join(dir, `${String(firstId).padStart(16, '0')}${SUFFIX}`);
  }

  static async create(dir: string, firstId: number): Promise<Segment> {
    const segment = new Segment(dir, firstId);
    await segment.#open(constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC);
    try {
      await syncFolder(dir);
    } catch (error) {
      await segment.close();
      throw error;
    }
    return segment;
  }

  /** Reads what an earlier run left, cutting what is torn. Null where `name` is no segment's. */
  static async recover(dir: string, name: string): Promise<Segment | null> {
    const firstId = Number(name.slice(0, -SUFFIX.length));
    if (!name.endsWith(SUFFIX) || !Number.isSafeInteger(firstId)) return null;
    const segment = new Segment(dir, firstId);
    await segment.#open(constants.O_RDWR | constants.O_CREAT);
    await segment.#readMessages();
    await segment.#readAcks();
    return segment;
  }

  get lastId(): number {
    return this.firstId + this.#extents.length - 1;
  }

  isPending(id: number): boolean {
    return this.#acked[id - this.firstId] === false;
  }

  /** Durable once resolved; once rejected, none of them is in the file, or the segment is sealed. */
  async append(frames: readonly Buffer[]): Promise<void> {
    try {
      const batch = Buffer.concat(frames);
      await writeFully(this.#file, batch, this.bytes);
      await this.#file.datasync();
    } catch (error) {
      this.sealed = true;
      await this.#file.truncate(this.bytes).catch(() => {});
      throw error;
    }
    for (const frame of frames) this.#add({ offset: this.bytes + FRAME_HEAD_BYTES, length: frame.length - FRAME_HEAD_BYTES });
  }

  /** Undefined where the segment was removed meanwhile. */
  async read(id: number): Promise<Message | undefined> {
    const { offset, length } = this.#extents[id - this.firstId]!;
    const body = Buffer.allocUnsafe(length);
    try {
      await this.#file.read(body, 0, length, offset);
    } catch (error) {
      if (this.#file.fd === -1) return undefined;
      throw error;
    }
    return decodeBody(body);
  }

  markAcked(id: number): void {
    if (!this.isPending(id)) return;
    this.#acked[id - this.firstId] = true;
    this.pending--;
  }

  /** Not synced: what a crash takes from here is sent again, and known at the other end by its session and seq. */
  async writeAcks(ids: readonly number[]): Promise<void> {
    const bytes = Buffer.allocUnsafe(ids.length * ACK_BYTES);
    for (const [i, id] of ids.entries()) {
      bytes.writeUInt32BE(id - this.firstId, i * ACK_BYTES);
      bytes.writeUInt32BE(~(id - this.firstId) >>> 0, i * ACK_BYTES + 4);
    }
    await writeFully(this.#acks, bytes, this.#ackBytes);
    this.#ackBytes += bytes.length;
  }

  async close(): Promise<void> {
    await Promise.all([this.#file.close(), this.#acks.close()]);
  }

  /** The messages' file goes first: without it, its acknowledgements say nothing. */
  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
    await rm(this.#ackPath, { force: true });
    await this.close();
  }

  get #ackPath(): string {
    return this.#path.replace(SUFFIX, ACK_SUFFIX);
  }

  async #open(flags: number): Promise<void> {
    this.#file = await open(this.#path, flags, 0o600);
    try {
      this.#acks = await open(this.#ackPath, flags, 0o600);
    } catch (error) {
      await this.#file.close();
      throw error;
    }
  }

  #add(extent: Extent): void {
    this.#extents.push(extent);
    this.#acked.push(false);
    this.pending++;
    this.bytes = extent.offset + extent.length;
  }

  async #readMessages(): Promise<void> {
    const bytes = await this.#file.readFile();
    const { extents, end } = scanFrames(bytes);
    for (const extent of extents) this.#add(extent);
    this.cutBytes = bytes.length - end;
    if (this.cutBytes > 0) await this.#file.truncate(end);
  }

  async #readAcks(): Promise<void> {
    const bytes = await this.#acks.readFile();
    for (let i = 0; i + ACK_BYTES <= bytes.length; i += ACK_BYTES) {
      const index = bytes.readUInt32BE(i);
      if (~index >>> 0 === bytes.readUInt32BE(i + 4)) this.markAcked(this.firstId + index);
    }
    this.#ackBytes = bytes.length - (bytes.length % ACK_BYTES);
  }
}

/** A crash between the two removals of a segment leaves its acknowledgements: of these names in `dir`, such are removed. */
export async function removeOrphans(dir: string, names: readonly string[]): Promise<void> {
  const orphans = names.filter((n) => n.endsWith(ACK_SUFFIX) && !names.includes(n.replace(ACK_SUFFIX, SUFFIX)));
  for (const name of orphans) await rm(join(dir, name), { force: true });
}

async function writeFully(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

/** A new file's name is durable once its folder is. */
async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
