/** The part of the fold that takes operators' silences and maintenance in, and acts on their beginning and their end. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { OperatorEntry } from '../../protocol/entries.ts';
import { namedIn, type OperatorWindow, readWindowAction } from '../../protocol/operator.ts';
import type { FoldCore } from './core.ts';

/** Maintenance that is over is known for so long: who is heard rarely has their time counted late. */
const MAINTENANCE_KEPT_MS = 2 * 86_400_000;

export class Windows {
  readonly duties = { window: (id: string) => this.#due(id), withheld: (key: string) => this.#core.alerts.release(key) };
  readonly #core: FoldCore;

  constructor(core: FoldCore) {
    this.#core = core;
  }

  /** Puts what was loaded where it is found, and sets its deadlines. */
  load(): void {
    const { state, windows, wheel } = this.#core;
    for (const window of state.windows.values()) {
      windows.add(window);
      this.#schedule(window);
    }
    for (const [key, { releaseAt }] of state.withheld.entries()) wheel.set('withheld', key, releaseAt ?? Number.POSITIVE_INFINITY);
  }

  note({ body }: OperatorEntry): void {
    const read = readWindowAction(body);
    if (read === null) return;
    this.#core.count('operator', read.ok ? read.value.op : 'unreadable');
    if (!read.ok) return;
    const { now } = this.#core;
    if (read.value.op === 'end') {
      const window = this.#core.state.windows.get(read.value.id);
      if (window) this.#put({ ...window, until: Math.min(now, window.until ?? now) });
      return;
    }
    const { op, id, match, from, until, by } = read.value;
    this.#put({ id: id ?? idOf(body, now), op, match: namedIn(match), from: from ?? now, until: until ?? null, by: by ?? null });
  }

  /** In place of the one of its id. */
  #put(window: OperatorWindow): void {
    this.#take(window.id);
    this.#core.state.windows.set(window.id, window);
    this.#core.windows.add(window);
    this.#due(window.id);
    this.#core.alerts.replan();
  }

  #take(id: string): void {
    const { state, windows, wheel } = this.#core;
    const known = state.windows.get(id);
    if (known) windows.remove(known);
    state.windows.delete(id);
    wheel.clear('window', id);
  }

  /** It begins, it ends, or it is of no more use. */
  #due(id: string): void {
    const window = this.#core.state.windows.get(id)!;
    if (this.#core.now >= keptUntil(window)) this.#take(id);
    else this.#schedule(window);
    this.#core.alerts.silence();
  }

  #schedule(window: OperatorWindow): void {
    const { wheel, now } = this.#core;
    const moments = [window.from, window.until ?? Number.POSITIVE_INFINITY, keptUntil(window)];
    wheel.set('window', window.id, moments.find((at) => at > now) ?? Number.POSITIVE_INFINITY);
  }
}

/** One that ended before it began was for nothing. */
function keptUntil({ op, from, until }: OperatorWindow): number {
  if (until === null) return Number.POSITIVE_INFINITY;
  return op === 'maintenance' && until > from ? until + MAINTENANCE_KEPT_MS : until;
}

/** For one that was given none: the same wherever the log is folded. */
function idOf(body: Record<string, unknown>, at: number): string {
  return bytesToHex(sha256(utf8ToBytes(JSON.stringify([at, body])))).slice(0, 24);
}
