/** How full a log is of what somebody still needs: told by its writer, in a small file, to whoever asks in any process. */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Limits, Stock } from './space.ts';

/** Parts of what the log may take, 0 to 1: what retention may remove is not counted. */
export interface Fill {
  /** Of its size limit. */
  size: number;
  /** Of the disk without its reserve. */
  disk: number;
  /** Whether the last append was refused for want of space. */
  full: boolean;
}

const ALARM_AT = 0.8;
const CALM_BELOW = 0.75;
/** Fixed, so that the file never grows: a full disk must not keep it from being written. */
const BYTES = 80;
const FORM = /^\{"size":[\d.]+,"disk":[\d.]+,"full":(true|false)\} *\n$/;

/** `unused`: bytes of the newest segment that are still free; `free`: of the disk. */
export function fillOf(
  { bytes, needed }: Stock,
  unused: number,
  free: number,
  { maxBytes, reserveBytes }: Limits,
  segmentBytes: number,
): Omit<Fill, 'full'> {
  // A log grows by whole segments: what is left of a limit beyond the last of them is of no use.
  const part = (room: number) => round((needed - unused) / Math.max(segmentBytes, Math.floor(room / segmentBytes) * segmentBytes));
  const disk = part(bytes + Math.max(0, free - reserveBytes));
  return { size: maxBytes === Number.POSITIVE_INFINITY ? 0 : part(maxBytes), disk };
}

function round(part: number): number {
  return Math.round(Math.min(1, Math.max(0, part)) * 10_000) / 10_000;
}

/** For the writer. */
export class FillFile {
  readonly #fd: number;

  constructor(dir: string) {
    this.#fd = openSync(pathIn(dir), constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  publish({ size, disk, full }: Fill): void {
    writeSync(this.#fd, `${JSON.stringify({ size, disk, full }).padEnd(BYTES - 1)}\n`, 0);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** What the writer said last; undefined where there has been none. */
export function readFill(dir: string): Fill | undefined {
  try {
    const text = readFileSync(pathIn(dir), 'latin1');
    return FORM.test(text) ? JSON.parse(text) : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Says once that a log fills, and once that it has room again. */
export function fillAlarm(say: (line: string) => void): (fill: Fill) => void {
  let raised = false;
  return ({ size, disk, full }) => {
    const part = Math.max(size, disk);
    if (!raised && (full || part >= ALARM_AT)) {
      raised = true;
      const of = disk > size ? 'the disk space that it may take' : 'its size limit';
      say(
        `the log has filled ${Math.round(part * 100)} % of ${of} with what is still unread: see why the collector or the store is behind`,
      );
    } else if (raised && !full && part < CALM_BELOW) {
      raised = false;
      say('the log has room again');
    }
  };
}

function pathIn(dir: string): string {
  return join(dir, 'fill');
}
