/** The demo's lines, each with the time since its start; on a terminal a last line that goes on changing. */
import type { Io } from '../io.ts';

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
  const { stderr } = process;
  const startedAt = now();
  let status: (() => string) | null = null;
  const clear = () => void (stderr.isTTY && status && stderr.write('\r\x1b[K'));
  const draw = () => void (stderr.isTTY && status && stderr.write(`\r\x1b[K${status().slice(0, (stderr.columns ?? 80) - 1)}`));
  const timer = setInterval(draw, STATUS_EVERY_MS);
  const print = (line: string) => {
    clear();
    io.out(line);
    draw();
  };
  return {
    tell: (line) => print(`[${clock(now() - startedAt)}] ${line}`),
    show: (line) => print(INDENT + line),
    status: (text) => {
      clear();
      status = text;
      draw();
    },
    end: () => {
      clearInterval(timer);
      clear();
    },
  };
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}
