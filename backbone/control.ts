/** The control log: a small segment log of control entries. Collectors and the command line append, every broker follows. */
import { type ControlEntry, encodeControl } from '../protocol/control.ts';
import { openSegmentWriter } from './segments/writer.ts';

const SEGMENT_BYTES = 1024 * 1024;

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
