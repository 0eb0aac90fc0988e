/** What a power loss may leave of a log: a last batch that was written and not synced, in part; and files that were never synced. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { DurableFile } from '../../backbone/segments/durable.ts';
import { listSegments } from '../../backbone/segments/files.ts';
import { FRAME_HEAD_BYTES, SEGMENT_HEAD_BYTES, sealFrame, wholeFrame } from '../../backbone/segments/format.ts';
import { framesIn } from '../backbone/segments/frames.ts';
import { between, pick } from './random.ts';

const SECTOR_BYTES = 512;
const MOST_RECORD_BYTES = 8_000;
/** So many batches less may the unsynced file say that are durable. */
const MOST_BEHIND = 3_000;

type Random = () => number;

/** Damages what stands behind the last durable batch, or puts something there. Nobody may have the log open for writing. */
export async function losePower(dir: string, random: Random): Promise<void> {
  const durable = new DurableFile(dir);
  durable.create();
  const { batch, mark } = durable.read();
  await tearEnd(dir, batch, random);
  if (random() < 0.7) durable.publish(Math.max(0, batch - between(random, 0, MOST_BEHIND)), Buffer.from(mark));
  durable.close();
}

async function tearEnd(dir: string, durable: number, random: Random): Promise<void> {
  const { path } = (await listSegments(dir)).at(-1)!;
  const { head, frames, bytes } = framesIn(path);
  const last = frames.findLast(({ batch }) => batch <= durable);
  const end = last ? last.offset + last.size : SEGMENT_HEAD_BYTES;
  const unsynced = frames.find(({ batch, offset }) => batch > durable && offset === end);
  const frame = unsynced ? bytes.subarray(end, end + unsynced.size) : madeFrame(head.mark, durable + 1, random);
  const torn = tornFrame(frame, head.mark, random);
  const file = openSync(path, 'r+');
  writeSync(file, torn, 0, torn.length, end);
  closeSync(file);
}

/** A batch of one record that says nothing. */
function madeFrame(mark: Buffer, batch: number, random: Random): Buffer {
  const size = between(random, 1, MOST_RECORD_BYTES);
  const length = FRAME_HEAD_BYTES + 4 + size;
  const bytes = Buffer.alloc(length + 8, 0x61);
  bytes.writeUInt32LE(size, FRAME_HEAD_BYTES);
  return sealFrame(bytes, length, mark, { batch, at: 1, records: 1 });
}

/** Not whole, and not nothing. */
function tornFrame(frame: Buffer, mark: Buffer, random: Random): Buffer {
  const torn = Buffer.from(frame);
  pick(random, [cutOff, loseSector, garble])(torn, random);
  if (wholeFrame(torn, 0, mark)) torn[FRAME_HEAD_BYTES]! ^= 0xff;
  return torn;
}

function cutOff(frame: Buffer, random: Random): void {
  frame.fill(0, between(random, FRAME_HEAD_BYTES, frame.length - 1));
}

function loseSector(frame: Buffer, random: Random): void {
  const at = SECTOR_BYTES * between(random, 0, Math.floor((frame.length - 1) / SECTOR_BYTES));
  if (frame.length > SECTOR_BYTES) frame.fill(0, at, Math.min(at + SECTOR_BYTES, frame.length));
}

function garble(frame: Buffer, random: Random): void {
  for (let n = between(random, 1, 20); n > 0; n--) frame[between(random, 0, frame.length - 1)] = between(random, 0, 255);
}
