import { readFileSync } from 'node:fs';
import type { Batch, LogReader } from '../../../backbone/log.ts';
import { decodeSegmentHead, frameBatch, frameSize, SEGMENT_HEAD_BYTES, type SegmentHead } from '../../../backbone/segments/format.ts';

export interface Frame {
  batch: number;
  offset: number;
  size: number;
}

/** The frames of a segment file as they stand there, whole or not. */
export function framesIn(path: string): { head: SegmentHead; frames: Frame[]; bytes: Buffer } {
  const bytes = readFileSync(path);
  const head = decodeSegmentHead(bytes) as SegmentHead;
  const frames: Frame[] = [];
  for (let offset = SEGMENT_HEAD_BYTES, size = 0; ; offset += size) {
    size = frameSize(bytes, offset, head.mark);
    if (size === 0) return { head, frames, bytes };
    frames.push({ batch: frameBatch(bytes, offset), offset, size });
  }
}

export async function readAll(reader: LogReader, from = 1): Promise<Batch[]> {
  const all: Batch[] = [];
  for (let next = from; ; next = all.at(-1)!.batch + 1) {
    const batches = await reader.read(next, 1024 * 1024);
    if (batches.length === 0) return all;
    all.push(...batches);
  }
}

export const texts = (batches: readonly Batch[]) => batches.flatMap(({ records }) => records.map((r) => Buffer.from(r).toString()));
