/** The control log: a small segment log of control entries. Collectors and the command line append, every broker follows. */
import { type ControlEntry, decodeControl, encodeControl } from '../protocol/control.ts';
import type { LogReader } from './log.ts';
import { openSegmentWriter } from './segments/writer.ts';

const SEGMENT_BYTES = 1024 * 1024;
const READ_BYTES = 256 * 1024;

export interface ControlWriter {
  /** Resolves once the entry is durable. Errors: LogError. */
  append(entry: ControlEntry): Promise<void>;
  close(): Promise<void>;
}

/** Errors: LogError, `locked` while another process has it open. */
export async function openControlWriter(dir: string): Promise<ControlWriter> {
  const log = await openSegmentWriter(dir, { segmentBytes: SEGMENT_BYTES });
  return {
    async append(entry) {
      await log.append([encodeControl(entry)]);
    },
    close: () => log.close(),
  };
}

/** Hands over every entry that the log holds from batch `from` on, and returns the batch to go on from. Errors: LogError. */
export async function readControl(reader: LogReader, from: number, onEntry: (entry: ControlEntry) => void): Promise<number> {
  let next = from;
  for (;;) {
    const batches = await reader.read(next, READ_BYTES);
    if (batches.length === 0) return next;
    for (const { batch, records } of batches) {
      for (const record of records) onEntry(decodeControl(record));
      next = batch + 1;
    }
  }
}

/** Hands over the entries from batch `from` on, and each new one as it comes, until the signal aborts. Errors: LogError. */
export async function followControl(
  reader: LogReader,
  from: number,
  onEntry: (entry: ControlEntry) => void,
  signal: AbortSignal,
): Promise<void> {
  let next = from;
  while (!signal.aborted) {
    next = await readControl(reader, next, onEntry);
    await reader.grown(next - 1, signal);
  }
}
