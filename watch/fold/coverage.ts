/** Whether terminals' signals hold: takes in what each sample and the terminal's agent say of the radio, and warns before it is gone. */
import type { Sample } from '../../protocol/schemas/sample.ts';
import type { Facts } from '../facts.ts';
import { blindUntil } from '../fleet/blindness.ts';
import { type Coverage as CoverageState, newCoverage, noteBroken, notePlace, noteReading, noteWeeks } from '../fleet/coverage.ts';
import { readingOf } from '../fleet/readings.ts';
import { CLOCK_TOLERANCE_MS, placeSample } from '../fleet/sessions.ts';
import { intervalMs, isFixed, keepaliveMs, placeOf, type Terminal } from '../fleet/terminals.ts';
import { judgeCoverage, quietWhy } from '../rules/coverage.ts';
import { freshMs, noteReconnects, noteSigns, restartRuns } from '../rules/coverage-signs.ts';
import type { CoverageRules } from '../rules/defaults.ts';
import type { FoldCore } from './core.ts';
import type { News, TerminalWatch } from './terminals.ts';

const HOUR_MS = 3_600_000;

export class Coverage implements TerminalWatch {
  /** Only what is heard changes a verdict: silence resolves nothing. */
  readonly duties = {};
  readonly #core: FoldCore;

  constructor(core: FoldCore) {
    this.#core = core;
  }

  load(): void {}

  heard(t: Terminal, key: string, news: News): void {
    t.coverage ??= isOfRadio(news) ? newCoverage() : null;
    const c = t.coverage;
    if (!c) return;
    if (news.facts.life) this.#noteAbsence(t, c);
    const wasQuiet = isQuiet(c);
    const isWord = this.#noteAgent(t, c, news.facts);
    if (news.samples.length > 0) this.#noteSamples(t, c, news);
    if (!isWord && news.samples.length === 0) return;
    // Nothing was to be said of it before, and nothing is.
    if (wasQuiet && isQuiet(c)) this.#core.count('coverage.weakening', quietWhy(t));
    else this.judge(key);
  }

  judge(key: string): void {
    const { state, rules } = this.#core;
    const t = state.terminals.change(key)!;
    const c = t.coverage;
    if (!c) return;
    const subject = { acquirer: t.acquirer, ...placeOf(t), terminal: t.sn };
    this.#core.announce('coverage.weakening', key, subject, (firing) => {
      const verdict = judgeCoverage(t, c, firing, rules['coverage.weakening']);
      c.told ||= verdict.why === 'lives_weak';
      return verdict;
    });
  }

  /** A terminal that was gone in its hours did not work that day, unless it was we who could not see. */
  #noteAbsence(t: Readonly<Terminal>, c: CoverageState): void {
    if (!c.weeks) return;
    const { now, book, state } = this.#core;
    const waitMs = Math.max(2 * intervalMs(t), 3 * keepaliveMs(t));
    const from = Math.max(c.at, blindUntil(state.meta.blindness, t.node) ?? 0);
    if (now - from > waitMs && book.after(this.#core.hoursOf(t), from, waitMs) <= now) noteBroken(c);
  }

  /** The agent's watch as it says itself: from its warning until it recovered. True where this message says so. */
  #noteAgent(t: Readonly<Terminal>, c: CoverageState, { message, note, why }: Facts): boolean {
    if (message?.channel !== 'event') return false;
    const { type, data, at: saidAt } = message.body;
    if (type !== 'coverage.weakening' && type !== 'coverage.recovered') return false;
    const { now } = this.#core;
    const at = Math.abs(now - saidAt) <= CLOCK_TOLERANCE_MS ? saidAt : Math.round(placeSample(saidAt, note?.skewMs ?? 0));
    if (c.agent && at < c.agent.at) return false;
    const isHistory = why === 'replayed' || now - at > freshMs(intervalMs(t), this.#rules);
    // That all is well again is worth knowing however late.
    if (isHistory && type === 'coverage.weakening') return false;
    c.agent = { at, warning: type === 'coverage.weakening' ? { ...data } : null };
    return true;
  }

  #noteSamples(t: Readonly<Terminal>, c: CoverageState, { samples, before, facts: { why, note } }: News): void {
    const { now } = this.#core;
    const isReplayed = why === 'replayed';
    if (!isReplayed) noteReconnects(c.signs, samples, now, this.#rules);
    const isSparse = t.birth?.sparse === true && note?.current === true;
    // Two of one moment are of two radios; what a later message says of it, or of times before, is history.
    const newest = c.at;
    let previous = before;
    for (const sample of inOrder(samples)) {
      if (sample.at <= newest) continue;
      const whole = isSparse ? withRadioOf(sample, previous) : sample;
      previous = whole;
      this.#noteSample(t, c, whole, isReplayed);
    }
    if (c.agent?.warning && now - c.agent.at > this.#rules.agentHours * HOUR_MS) c.agent.warning = null;
    if (c.agent?.warning || c.signs.reconnecting) noteBroken(c);
  }

  #noteSample(t: Readonly<Terminal>, c: CoverageState, sample: Sample, isReplayed: boolean): void {
    const { at } = sample;
    const fresh = freshMs(intervalMs(t), this.#rules);
    const isLive = !isReplayed && this.#core.now - at <= fresh;
    const reading = readingOf(sample);
    notePlace(c, at, sample);
    if (!reading) return;
    if (!isLive || at - c.at > fresh) restartRuns(c.signs);
    if (isLive) noteSigns(c, at, reading, { intervalMs: intervalMs(t), fixed: isFixed(t) }, this.#rules);
    noteReading(c, at, reading);
    noteWeeks(c, at);
    c.at = at;
  }

  get #rules(): CoverageRules {
    return this.#core.rules['coverage.weakening'];
  }
}

/** Whether there is no sign at all that it will not hold. */
function isQuiet({ signs, agent }: Readonly<CoverageState>): boolean {
  return !signs.band && !signs.trend && !signs.step && !signs.reconnecting && !agent?.warning;
}

/** Who never told of a radio has no state of one. */
function isOfRadio({ facts: { message }, samples }: News): boolean {
  if (message?.channel === 'event') return message.body.type === 'coverage.weakening';
  return samples.some((sample) => readingOf(sample) !== null || (sample.link?.reconnects ?? 0) > 0);
}

function inOrder(samples: readonly Sample[]): readonly Sample[] {
  return samples.every((sample, i) => i === 0 || samples[i - 1]!.at <= sample.at) ? samples : samples.toSorted((a, b) => a.at - b.at);
}

/** What is left out has not changed; a summary without its signal would be of another time. */
function withRadioOf(sample: Sample, previous: Readonly<Sample> | null): Sample {
  return sample.signal ? sample : { ...sample, signal: previous?.signal, radio: sample.radio ?? previous?.radio };
}
