/** The part of the fold that takes in what terminals say, and tells the watches over them. */
import type { MessageEntry } from '../../protocol/entries.ts';
import type { Sample } from '../../protocol/schemas/sample.ts';
import { type Facts, factsOf, impossibleDetail, placedSamples } from '../facts.ts';
import { LEARNABLE_INTERVAL_MS, newestWeek, withHeard } from '../fleet/learned.ts';
import { steppedMs } from '../fleet/steps.ts';
import { changeTerminal, intervalMs, noteRadio, type Terminal } from '../fleet/terminals.ts';
import type { FoldCore } from './core.ts';

const QUARTER_MS = 15 * 60_000;

/** What one message brought. */
export interface News {
  facts: Facts;
  /** Its samples at their places in time. */
  samples: readonly Sample[];
  /** The newest sample before them: what a sparse birth leaves out is as it was there. */
  before: Readonly<Sample> | null;
  /** Whether it may be with others now, or keep other hours: its network changed, or its hours were learned anew. */
  regrouped: boolean;
}

/** A watch over terminals: it is told what each says, and has deadlines of its own. */
export interface TerminalWatch {
  /** What to do when a deadline of each kind comes due, with the key of its terminal. */
  readonly duties: Record<string, (key: string) => void>;
  heard(t: Terminal, key: string, news: News): void;
  /** Decides anew: the registry or the rules changed. */
  judge?(key: string): void;
  /** Sets the deadlines of a terminal that was loaded. */
  load?(t: Readonly<Terminal>): void;
}

export class Terminals {
  readonly #core: FoldCore;
  readonly #watches: readonly TerminalWatch[];

  constructor(core: FoldCore, watches: readonly TerminalWatch[]) {
    this.#core = core;
    this.#watches = watches;
  }

  load(t: Readonly<Terminal>): void {
    for (const watch of this.#watches) watch.load?.(t);
  }

  judge(key: string): void {
    for (const watch of this.#watches) watch.judge?.(key);
  }

  message(entry: MessageEntry): void {
    const { state, now } = this.#core;
    const t = changeTerminal(state.terminals, entry, now);
    const { key } = t;
    const facts = factsOf(entry, t, steppedMs(state.steps, entry.node));
    this.#core.count('message', facts.why);
    if (facts.message?.channel === 'birth' && facts.note?.current) t.birth = facts.message.body;
    const { last: before, radio } = t;
    const samples = this.#noteSamples(t, facts, entry.replayed?.at ?? entry.at);
    const week = newestWeek(t.heard);
    if (facts.life) this.#life(t, key, entry.node);
    const news: News = { facts, samples, before, regrouped: newestWeek(t.heard) !== week || t.radio !== radio };
    for (const watch of this.#watches) watch.heard(t, key, news);
  }

  /** Where the birth says so, a member that is left out has not changed. */
  #noteSamples(t: Terminal, facts: Facts, receivedAt: number): Sample[] {
    const sparse = t.birth?.sparse && facts.note?.current;
    const placed = placedSamples(facts, receivedAt);
    if (placed.impossible.length > 0) this.#core.quarantine(impossibleDetail(placed));
    for (const sample of placed.samples) {
      if (t.last !== null && sample.at < t.last.at) continue;
      t.last = sparse ? { ...t.last, ...sample } : sample;
      noteRadio(t, sample.signal);
    }
    return placed.samples;
  }

  #life(t: Terminal, key: string, node: string): void {
    const { now, book } = this.#core;
    t.node = node;
    if (t.birth?.expected) t.heard = '';
    else if (intervalMs(t) <= LEARNABLE_INTERVAL_MS && !isSameQuarter(t.presence.lifeAt, now))
      t.heard = withHeard(t.heard, now + book.offset(this.#core.zoneOf(t), now));
    this.#activate(t, key);
  }

  /** One that talks is not inactive, whatever the registry says. */
  #activate(t: Terminal, key: string): void {
    const { now, registry, touched } = this.#core;
    if (t.binding?.lifecycle !== 'inactive') return;
    t.activatedAt = now;
    registry.bind(key, { ...t.binding, lifecycle: 'active' }, now, touched);
    this.#core.count('lifecycle', 'activated_by_talking');
  }
}

/** Zones differ by quarters of an hour, so both are in one hour of every zone: what was noted then need not be noted again. */
function isSameQuarter(before: number | null, now: number): boolean {
  return before !== null && Math.floor(before / QUARTER_MS) === Math.floor(now / QUARTER_MS);
}
