/** Whether terminals are there: decides at each deadline and each piece of news, and says what is wrong when one is not. */
import { terminalKey } from '../../protocol/topics.ts';
import type { Facts } from '../facts.ts';
import { blindUntil, isBlind } from '../fleet/blindness.ts';
import { type PresenceState, placeOf, type Terminal } from '../fleet/terminals.ts';
import { decidePresence, type Sight } from '../rules/presence.ts';
import type { FoldCore } from './core.ts';
import type { News, TerminalWatch } from './terminals.ts';

const HOUR_MS = 3_600_000;

export class Presence implements TerminalWatch {
  readonly duties = {
    presence: (key: string) => this.judge(key),
    hourly: (key: string) => this.#row(this.#core.state.terminals.change(key)!, key),
  };
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

  heard(t: Terminal, key: string, { facts }: News): void {
    this.#note(t, facts);
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

  /** We can see again: what came due meanwhile is judged now. */
  seeAgain(): void {
    const held = [...this.#held].sort();
    this.#held.clear();
    for (const key of held) this.judge(key);
  }

  /** What a terminal is, for those who read it now: nobody is called online or suspect while we are blind, and what was deleted is gone. */
  stateOf(t: Readonly<Terminal>): PresenceState | 'unregistered' {
    if (!t.binding || t.binding.lifecycle === 'deleted') return 'unregistered';
    const { state } = t.presence;
    return (state === 'online' || state === 'suspect') && isBlind(this.#core.state.meta.blindness, t.node) ? 'unknown' : state;
  }

  #note({ presence }: Terminal, { why, life, message, note }: Facts): void {
    const { now } = this.#core;
    if (life) {
      presence.lifeAt = now;
      presence.goodbyeAt = null;
      presence.lostAt = null;
    }
    if (why === 'will' && presence.goodbyeAt === null) presence.lostAt ??= now;
    if (life && message?.channel === 'state' && message.body.state === 'goodbye' && note?.current) presence.goodbyeAt = now;
  }

  #row(t: Terminal, key: string): void {
    const { now, wheel, book } = this.#core;
    const { acquirer, sn } = t;
    const expected = book.isOpen(this.#core.hoursOf(t), now);
    this.#core.row({ measurement: 'presence', at: now, acquirer, ...placeOf(t), sn, state: this.stateOf(t), expected });
    t.presence.rowAt = now + HOUR_MS;
    wheel.set(`hourly ${key}`, t.presence.rowAt);
  }

  #sightOf(t: Readonly<Terminal>): Sight {
    const { state, book } = this.#core;
    const { blindness } = state.meta;
    return { hours: this.#core.hoursOf(t), book, blind: isBlind(blindness, t.node), blindUntil: blindUntil(blindness, t.node) };
  }
}

/** While a terminal is simply heard, its deadline can wait where it is: it is moved when it comes due. */
function needsJudging({ presence }: Readonly<Terminal>, { why, message }: Facts): boolean {
  return presence.state !== 'online' || why === 'will' || message?.channel === 'birth' || message?.channel === 'state';
}
