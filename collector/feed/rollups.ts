/**
 * What stays of samples when they have gone: of each terminal and five minutes of the samples' time one point with the least, mean and
 * greatest of levels, the last of states, the sum of counts. Made by the feed's own fold, so that reading the log again makes the same
 * points, in either store, whatever a server can compute and whatever its token may ask for.
 */
import { terminalKey } from '../../protocol/topics.ts';
import { Table } from '../../watch/fold/table.ts';
import type { Draft } from '../store/draft.ts';
import { type Kind, ROLLED, ROLLUP, SUFFIXES, WINDOW_MS } from '../store/rollup-layout.ts';
import type { TerminalTags } from './tagger.ts';

/** A window is written when the log has come so far beyond its end, or when its terminal's next one begins. */
const GRACE_MS = 60_000;

/** Of a level: least, greatest, sum, how many. Of a state or a count: itself. */
type Values = number[];

interface Open {
  window: number;
  tags: TerminalTags;
  /** Of the last of its samples: the point's time, so that two points of one window are two. */
  at: number;
  n: number;
  values: Record<string, Values>;
}

const KINDS = new Map<string, Kind>(Object.entries(ROLLED));

export class Rollups {
  /** One open window a terminal. */
  readonly #open = new Table<Open>('rollups');
  readonly tables: readonly Table<object>[] = [this.#open] as unknown as Table<object>[];
  /** Terminals by the window that they have open. */
  readonly #waiting = new Map<number, Set<string>>();

  /** To be called once the tables are loaded. */
  start(): void {
    for (const { window, tags } of this.#open.values()) this.#wait(window, terminalKey(tags));
  }

  /** Takes a sample's point; `write` is told what it closes. */
  add({ size, names, values, at }: Draft, tags: TerminalTags, write: (fill: Fill) => void): void {
    const key = terminalKey(tags);
    const window = Math.floor(at / WINDOW_MS) * WINDOW_MS;
    let open = this.#open.change(key);
    if (open && (open.window !== window || !sameTags(open.tags, tags))) {
      this.#close(key, open, write);
      open = undefined;
    }
    if (!open) {
      open = this.#open.set(key, { window, tags, at, n: 0, values: {} });
      this.#wait(window, key);
    }
    open.n++;
    const isLast = at >= open.at;
    if (isLast) open.at = at;
    for (let i = 0; i < size; i++) {
      const kind = KINDS.get(names[i]!);
      if (kind !== undefined) take(kind, open.values, names[i]!, values[i] as number, isLast);
    }
  }

  /** Moves the log's time on; `write` is told what it closes. */
  moveTo(now: number, write: (fill: Fill) => void): void {
    for (const [window, keys] of this.#waiting) {
      if (window + WINDOW_MS + GRACE_MS > now) continue;
      for (const key of keys) {
        this.#close(key, this.#open.get(key)!, write);
        this.#open.delete(key);
      }
    }
  }

  #wait(window: number, key: string): void {
    const keys = this.#waiting.get(window) ?? new Set();
    this.#waiting.set(window, keys.add(key));
  }

  #close(key: string, open: Readonly<Open>, write: (fill: Fill) => void): void {
    const keys = this.#waiting.get(open.window);
    keys?.delete(key);
    if (keys?.size === 0) this.#waiting.delete(open.window);
    write((draft) => drafted(open, draft));
  }
}

/** Makes a point of a draft. */
export type Fill = (draft: Draft) => Draft;

/** In place: so often a new list each time would be most of what the feed leaves to the garbage collector. */
function take(kind: Kind, all: Open['values'], name: string, value: number, isLast: boolean): void {
  const values = all[name];
  if (values === undefined) all[name] = kind === 'level' ? [value, value, value, 1] : [value];
  else if (kind === 'count') values[0]! += value;
  else if (kind === 'level') {
    if (value < values[0]!) values[0] = value;
    if (value > values[1]!) values[1] = value;
    values[2]! += value;
    values[3]! += 1;
  } else if (isLast) values[0] = value;
}

function drafted({ tags, at, n, values }: Readonly<Open>, into: Draft): Draft {
  into.begin(ROLLUP, tags, at);
  into.field('n', n);
  for (const name in values) {
    const [first, greatest, sum, count] = values[name] as [number, number, number, number];
    const kind = ROLLED[name]!;
    const made = kind === 'level' ? [first, sum / count, greatest] : [first];
    SUFFIXES[kind].forEach((suffix, i) => {
      into.field(`${name}_${suffix}`, made[i]!);
    });
  }
  return into;
}

function sameTags(a: TerminalTags, b: TerminalTags): boolean {
  return a === b || (a.merchant === b.merchant && a.site === b.site && a.model === b.model && a.app === b.app);
}
