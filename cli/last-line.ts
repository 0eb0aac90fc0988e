/** The last line of a terminal, which goes on changing; nothing where stderr is none. */

/** What of stderr it takes. */
export interface Terminal {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

export interface LastLine {
  /** What it says from now on; null: there is none. */
  show(text: (() => string) | null): void;
  /** Prints something above it. */
  above(print: () => void): void;
  end(): void;
}

const CLEAR = '\r\x1b[K';

export function openLastLine(everyMs: number, terminal: Terminal = process.stderr): LastLine {
  let text: (() => string) | null = null;
  const write = (what: () => string) => void (terminal.isTTY && text && terminal.write(what()));
  const clear = () => write(() => CLEAR);
  // A line that is wider than the terminal goes on in the next one, where nothing clears it.
  const draw = () => write(() => CLEAR + text!().slice(0, (terminal.columns ?? 80) - 1));
  const timer = setInterval(draw, everyMs);
  return {
    show: (next) => {
      clear();
      text = next;
      draw();
    },
    above: (print) => {
      clear();
      print();
      draw();
    },
    end: () => {
      clearInterval(timer);
      clear();
      text = null;
    },
  };
}
