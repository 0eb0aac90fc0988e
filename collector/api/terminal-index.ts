/** The terminals in the order of their keys ("acquirer/sn"), and by serial number. */
import type { Context } from 'hono';
import { terminalKey } from '../../protocol/topics.ts';
import type { Terminal } from '../../watch/fleet/terminals.ts';
import type { Watch } from '../../watch/fold/watch.ts';
import type { ApiEnv } from './deps.ts';
import { notFound, Problem } from './problem.ts';
import { visibleAcquirer } from './require.ts';

/** A terminal is never removed and new ones come last in the watch's table, so its size says which are new. */
export class TerminalIndex {
  readonly #table: Watch['state']['terminals'];
  #keys: string[] = [];
  readonly #bySerial = new Map<string, string[]>();

  constructor(watch: Watch) {
    this.#table = watch.state.terminals;
  }

  /** From after the key on; with `acquirer` that acquirer's alone. The order is the same after a restart. */
  *from(after: string | undefined, acquirer: string | null): Iterable<{ key: string; terminal: Readonly<Terminal> }> {
    this.#takeNew();
    const keys = this.#keys;
    const prefix = acquirer === null ? '' : `${acquirer}/`;
    const start = after !== undefined && after > prefix ? after : prefix;
    for (let i = firstAfter(keys, start); i < keys.length && keys[i]!.startsWith(prefix); i++) {
      yield { key: keys[i]!, terminal: this.#table.get(keys[i]!)! };
    }
  }

  /** All that have this serial number, in the order of their acquirers; with `acquirer` that acquirer's alone. */
  withSerial(sn: string, acquirer: string | null): Readonly<Terminal>[] {
    if (acquirer !== null) {
      const own = this.#table.get(terminalKey({ acquirer, sn }));
      return own ? [own] : [];
    }
    this.#takeNew();
    return (this.#bySerial.get(sn) ?? []).toSorted().map((key) => this.#table.get(key)!);
  }

  #takeNew(): void {
    if (this.#table.size === this.#keys.length) return;
    const added: string[] = [];
    let place = 0;
    for (const terminal of this.#table.values()) {
      if (place++ < this.#keys.length) continue;
      const key = terminalKey(terminal);
      const same = this.#bySerial.get(terminal.sn);
      if (same) same.push(key);
      else this.#bySerial.set(terminal.sn, [key]);
      added.push(key);
    }
    this.#keys = merged(this.#keys, added.sort());
  }
}

/** Where the first key greater than `key` is. */
function firstAfter(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! > key) high = middle;
    else low = middle + 1;
  }
  return low;
}

function merged(a: readonly string[], b: readonly string[]): string[] {
  const all: string[] = [];
  let i = 0;
  for (const key of b) {
    while (i < a.length && a[i]! < key) all.push(a[i++]!);
    all.push(key);
  }
  while (i < a.length) all.push(a[i++]!);
  return all;
}

/** The terminal of a request's path. Errors: Problem 404; 409 with the choices where the reader sees several. */
export function theTerminal(index: TerminalIndex, c: Context<ApiEnv>): Readonly<Terminal> {
  const sn = c.req.param('sn')!;
  const [terminal, ...others] = index.withSerial(sn, visibleAcquirer(c));
  if (!terminal) throw notFound(`terminal ${sn}`);
  if (others.length > 0) {
    const choices = [terminal, ...others].map(({ acquirer }) => ({ acquirer, sn }));
    throw new Problem(409, 'Ambiguous', `${choices.length} acquirers have a terminal ${sn}: say ?acquirer=`, { choices });
  }
  return terminal;
}
