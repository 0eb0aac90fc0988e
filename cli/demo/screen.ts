/** The demo's lines, each with the time since its start; on a terminal a last line that goes on changing. */
import type { Io } from '../io.ts';
import { openLastLine } from '../last-line.ts';

const STATUS_EVERY_MS = 250;
const INDENT = ' '.repeat(8);

export interface Screen {
  /** A line of the story. */
  tell(line: string): void;
  /** Something to type or to open, without a time. */
  show(line: string): void;
  /** What the last line says from now on; null: there is none. */
  status(text: (() => string) | null): void;
  end(): void;
}

export function openScreen(io: Io, now: () => number): Screen {
  const startedAt = now();
  const last = openLastLine(STATUS_EVERY_MS);
  const print = (line: string) => last.above(() => io.out(line));
  return {
    tell: (line) => print(`[${clock(now() - startedAt)}] ${line}`),
    show: (line) => print(INDENT + line),
    status: last.show,
    end: last.end,
  };
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}
