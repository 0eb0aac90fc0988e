/** The part of the fold that follows terminals: what they say, whether they are there, and what is wrong when they are not. */
import type { MessageEntry } from '../../protocol/entries.ts';
import { terminalKey } from '../../protocol/topics.ts';
import { type Facts, factsOf, impossibleDetail, placedSamples } from '../facts.ts';
import { blindUntil, isBlind } from '../fleet/blindness.ts';
import type { Hours } from '../fleet/hours.ts';
import { LEARNABLE_INTERVAL_MS, learnedHours, noteHeard } from '../fleet/learned.ts';
import { merchantKey } from '../fleet/merchants.ts';
import { currentSession } from '../fleet/sessions.ts';
import { steppedMs } from '../fleet/steps.ts';
import { intervalMs, newTerminal, type PresenceState, placeOf, type Terminal } from '../fleet/terminals.ts';
import { decidePresence, type Sight } from '../rules/presence.ts';
import type { FoldCore } from './core.ts';

const HOUR_MS = 3_600_000;

export class Terminals {
  readonly #core: FoldCore;
  /** Terminals whose deadline passed while we were blind. */
  readonly #held = new Set<string>();

  constructor(core: FoldCore) {
    this.#core = core;
  }

  /** Sets the deadlines of a terminal that was loaded. One that was held comes due at once, and is held again. */
  load(t: Readonly<Terminal>): void {
    const key = terminalKey(t);
    this.#core.wheel.set(`presence ${key}`, t.presence.wakeAt ?? Number.POSITIVE_INFINITY);
    this.#core.wheel.set(`hourly ${key}`, t.presence.rowAt ?? Number.POSITIVE_INFINITY);
  }

  message(entry: MessageEntry): void {
    const { state, now } = this.#core;
    const key = terminalKey(entry);
    const t = state.terminals.change(key) ?? state.terminals.set(key, newTerminal(entry, now));
    const facts = factsOf(entry, t.sessions, steppedMs(state.steps, entry.node));
    this.#core.count('message', facts.why);
    if (facts.message?.channel === 'birth' && facts.note?.current) t.birth = facts.message.body;
    this.#noteSamples(t, facts, entry.replayed?.at ?? entry.at);
    if (facts.life) this.#life(t, key, entry.node);
    this.#noteState(t, facts);
    if (needsJudging(t, facts)) this.judge(key);
  }

  judge(key: string): void {
    const { state, now, wheel, rules } = this.#core;
    const t = state.terminals.change(key)!;
    const { presence } = t;
    if (presence.lifeAt !== null && presence.offline && presence.lifeAt >= presence.offline.at) presence.offline = null;
    const decision = decidePresence(t, now, this.#sightOf(t), rules['terminal.offline']);
    const subject = { acquirer: t.acquirer, ...placeOf(t), terminal: t.sn };
    presence.offline = decision.offline;
    this.#core.announce('terminal.offline', key, subject, () => decision.verdict);
    if (decision.verdict.why === 'blind') this.#held.add(key);
    else presence.wakeAt = Number.isFinite(decision.nextAt) ? decision.nextAt : null;
    wheel.set(`presence ${key}`, decision.nextAt);
    if (decision.state === presence.state) return;
    presence.state = decision.state;
    presence.since = now;
    this.#row(t, key);
  }

  /** A row each hour though nothing changed. */
  hourly(key: string): void {
    this.#row(this.#core.state.terminals.change(key)!, key);
  }

  /** We can see again: what came due meanwhile is judged now. */
  seeAgain(): void {
    const held = [...this.#held].sort();
    this.#held.clear();
    for (const key of held) this.judge(key);
  }

  /** What a terminal is, for those who read it now: nobody is called online or suspect while we are blind, and what was deleted is gone. */
  presenceOf(t: Readonly<Terminal>): PresenceState | 'unregistered' {
    if (!t.binding || t.binding.lifecycle === 'deleted') return 'unregistered';
    const { state } = t.presence;
    return (state === 'online' || state === 'suspect') && isBlind(this.#core.state.meta.blindness, t.node) ? 'unknown' : state;
  }

  /** Where the birth says so, a member that is left out has not changed. */
  #noteSamples(t: Terminal, facts: Facts, receivedAt: number): void {
    const sparse = t.birth?.sparse && facts.note?.current;
    const placed = placedSamples(facts, receivedAt);
    if (placed.impossible.length > 0) this.#core.quarantine(impossibleDetail(placed));
    for (const sample of placed.samples) {
      if (t.last === null || sample.at >= t.last.at) t.last = sparse ? { ...t.last, ...sample } : sample;
    }
  }

  #noteState({ presence }: Terminal, { why, life, message, note }: Facts): void {
    const { now } = this.#core;
    if (why === 'will' && presence.goodbyeAt === null) presence.lostAt ??= now;
    if (life && message?.channel === 'state' && message.body.state === 'goodbye' && note?.current) presence.goodbyeAt = now;
  }

  #life(t: Terminal, key: string, node: string): void {
    const { now, book } = this.#core;
    t.presence.lifeAt = now;
    t.presence.goodbyeAt = null;
    t.presence.lostAt = null;
    t.node = node;
    if (t.birth?.expected) t.heard = [];
    else if (intervalMs(t) <= LEARNABLE_INTERVAL_MS) noteHeard(t.heard, now + book.offset(this.#zoneOf(t), now));
    this.#activate(t, key);
    this.#askWhoItIs(t);
  }

  /** One that talks is not inactive, whatever the registry says. */
  #activate(t: Terminal, key: string): void {
    const { now, registry, touched } = this.#core;
    if (t.binding?.lifecycle !== 'inactive') return;
    t.activatedAt = now;
    registry.bind(key, { ...t.binding, lifecycle: 'active' }, now, touched);
    this.#core.count('lifecycle', 'activated_by_talking');
  }

  /** A terminal without a birth is asked for one, once an hour at most. */
  #askWhoItIs(t: Terminal): void {
    const { now } = this.#core;
    if (t.birth !== null || currentSession(t.sessions)?.born) return;
    if (t.askedAt !== null && now - t.askedAt < HOUR_MS) return;
    t.askedAt = now;
    this.#core.askRebirth(t);
  }

  #row(t: Terminal, key: string): void {
    const { now, wheel, book } = this.#core;
    const { acquirer, sn } = t;
    const expected = book.isOpen(this.#hoursOf(t), now);
    this.#core.row({ measurement: 'presence', at: now, acquirer, ...placeOf(t), sn, state: this.presenceOf(t), expected });
    t.presence.rowAt = now + HOUR_MS;
    wheel.set(`hourly ${key}`, t.presence.rowAt);
  }

  /** Declared in the birth, or learned, or always. */
  #hoursOf(t: Readonly<Terminal>): Hours | null {
    return this.#core.book.of(t.birth?.expected ?? learnedHours(t.heard, this.#zoneOf(t)));
  }

  #zoneOf({ acquirer, binding }: Readonly<Terminal>): string {
    return (binding && this.#core.state.merchants.get(merchantKey(acquirer, binding.merchant))?.tz) ?? 'UTC';
  }

  #sightOf(t: Readonly<Terminal>): Sight {
    const { state, book } = this.#core;
    const { blindness } = state.meta;
    return { hours: this.#hoursOf(t), book, blind: isBlind(blindness, t.node), blindUntil: blindUntil(blindness, t.node) };
  }
}

/** While a terminal is simply heard, its deadline can wait where it is: it is moved when it comes due. */
function needsJudging({ presence }: Readonly<Terminal>, { why, message }: Facts): boolean {
  return presence.state !== 'online' || why === 'will' || message?.channel === 'birth' || message?.channel === 'state';
}
