/**
 * What came of transactions, counted over five-minute windows of the samples' time. Windows are flushed when the log's own time
 * passes a minute, never by a clock, so that reading the log again makes the same points.
 */
import { createHash } from 'node:crypto';
import { Table } from '../../watch/fold/table.ts';
import type { Point } from '../store/point.ts';
import { WINDOW_MS } from '../store/rollup-layout.ts';
import type { TaggedSample } from './tagger.ts';

const FLUSH_MS = 60_000;
/** A terminal's clock may be ahead, so a window can be flushed before it begins: flush numbers start here, not at zero. */
const FIRST_FLUSH = 10;

interface Count {
  acquirer: string;
  merchant: string;
  system: string;
  code: string;
  card: string;
  kind: string;
  window: number;
  n: number;
  terminals: string[];
}

const MINUTE_KEY = 'minute';
/** In UTF-8 three times as many bytes at most, which a row's key may have. */
const MAX_KEY_CHARACTERS = 160;

export class Outcomes {
  /** Counts since the last flush, by window and tags. */
  readonly #open = new Table<Count>('outcomes');
  readonly #minute = new Table<{ minute: number }>('minute');
  readonly #classOf: (system: string, code: string) => string;
  readonly tables: readonly Table<object>[] = [this.#open, this.#minute] as unknown as Table<object>[];

  constructor(classOf: (system: string, code: string) => string) {
    this.#classOf = classOf;
  }

  /** Moves the log's time on; the points of what was counted before this minute. */
  moveTo(at: number): Point[] {
    const minute = Math.floor(at / FLUSH_MS);
    const last = this.#minute.get(MINUTE_KEY)?.minute;
    if (last !== undefined && minute <= last) return [];
    this.#minute.set(MINUTE_KEY, { minute });
    return this.#flush(minute);
  }

  add({ sample, tags: { acquirer, sn, merchant } }: TaggedSample): void {
    const window = Math.floor(sample.at / WINDOW_MS) * WINDOW_MS;
    for (const { system, code, n, card = '', kind = '' } of sample.outcomes ?? []) {
      const key = rowKey(`${window} ${acquirer} ${card} ${kind} ${told(merchant)}${told(system)}${told(code)}`);
      const count =
        this.#open.change(key) ?? this.#open.set(key, { acquirer, merchant, system, code, card, kind, window, n: 0, terminals: [] });
      count.n += n;
      if (!count.terminals.includes(sn)) count.terminals.push(sn);
    }
  }

  #flush(minute: number): Point[] {
    return this.#open.drain().map(({ window, n, terminals, acquirer, merchant, system, code, card, kind }) => ({
      measurement: 'outcomes',
      tags: { acquirer, merchant, system, code, class: this.#classOf(system, code), card, kind },
      fields: { n, terminals: terminals.length },
      at: window + flushNumber(window, minute),
    }));
  }
}

/**
 * A window is flushed once a minute at most, so the minutes since it began number its flushes. They stay within the window, and two
 * flushes of one window share a number only where 208 days lie between them.
 */
function flushNumber(window: number, minute: number): number {
  const number = (minute - window / FLUSH_MS + FIRST_FLUSH) % WINDOW_MS;
  return number < 0 ? number + WINDOW_MS : number;
}

/** A text that may hold anything, so that what stands after it is told apart from it. */
function told(text: string): string {
  return `${text.length}:${text}`;
}

/** Keys of rows are short; a long one is known by its hash. */
function rowKey(text: string): string {
  return text.length <= MAX_KEY_CHARACTERS ? text : createHash('sha256').update(text).digest('base64');
}
