/** Whether terminals are there: decides at each deadline and each piece of news, and says what is wrong when one is not. */
import type { Facts } from '../facts.ts';
import { countTime, newAvailability } from '../fleet/availability.ts';
import { blindUntil, isBlind, unseen } from '../fleet/blindness.ts';
import { Groups } from '../fleet/groups.ts';
import { noteBirth, noteEvent, noteSample } from '../fleet/signs.ts';
import { merged } from '../fleet/spans.ts';
import { intervalMs, mayAlert, type PresenceState, placeOf, type Terminal } from '../fleet/terminals.ts';
import { type Because, becauseOf, type Surroundings } from '../rules/causes.ts';
import { decidePresence, type PresenceDecision, quietUntil, type Sight } from '../rules/presence.ts';
import { judgeUnstable, quietAt, withChange } from '../rules/unstable.ts';
import type { Condition, Verdict } from '../rules/verdict.ts';
import type { FoldCore } from './core.ts';
import { type Hold, Outages } from './outages.ts';
import type { News, TerminalWatch } from './terminals.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** One for all, as a million terminals keep it. */
const STANDINGS = { there: { is: 'there' }, holding: { is: 'holding' }, away: { is: 'away' } } as const;

export class Presence implements TerminalWatch {
  readonly duties: Record<string, (key: string) => void>;
  readonly #core: FoldCore;
  readonly #groups: Groups;
  readonly #outages: Outages;
  /** Terminals whose deadline passed while we were blind. */
  readonly #held = new Set<string>();

  constructor(core: FoldCore) {
    this.#core = core;
    this.#groups = new Groups(core.book);
    this.#outages = new Outages(core, this.#groups, (key) => this.judge(key));
    core.onBound = (key) => this.#count(core.state.terminals.get(key)!, key);
    this.duties = {
      presence: (key) => this.#due(key),
      unstable: (key) => this.judge(key),
      hourly: (key) => this.#hourly(core.state.terminals.change(key)!, key),
      ...this.#outages.duties,
    };
  }

  /** Sets the deadlines of a terminal that was loaded. */
  load(t: Readonly<Terminal>): void {
    const { wheel, rules } = this.#core;
    const key = t.key;
    wheel.set('presence', key, t.presence.wakeAt ?? Number.POSITIVE_INFINITY);
    wheel.set('hourly', key, t.presence.rowAt ?? Number.POSITIVE_INFINITY);
    const { changes } = t.presence;
    if (changes && this.#isUnstable(key)) wheel.set('unstable', key, quietAt(changes, rules['terminal.unstable']));
    if (t.presence.isHeld) this.#held.add(key);
    this.#count(t, key);
    this.#outages.load(t);
  }

  /** Takes up the outages that go on, before the terminals. */
  loadOutages(): void {
    this.#outages.loadAll();
  }

  heard(t: Terminal, key: string, news: News): void {
    this.#note(t, news.facts);
    this.#noteSigns(t, news);
    if (needsJudging(t, news.facts)) this.judge(key);
    else if (news.regrouped) this.#count(t, key);
  }

  /** Most that come due were heard since: their deadline is moved on, and nothing else of them changes. */
  #due(key: string): void {
    const { state, now, wheel, rules } = this.#core;
    const t = state.terminals.get(key)!;
    const quietTo = isQuietlyThere(t) ? quietUntil(t, this.#viewOf(t), rules['terminal.offline']) : now;
    if (quietTo <= now) return this.judge(key);
    this.#core.count('terminal.offline', 'within_wait');
    wheel.set('presence', key, quietTo);
  }

  judge(key: string): void {
    const { state, now, wheel, rules } = this.#core;
    const t = state.terminals.change(key)!;
    const { presence } = t;
    if (presence.lifeAt !== null && presence.offline && presence.lifeAt >= presence.offline.at) presence.offline = null;
    const decision = decidePresence(t, now, this.#sightOf(t, key), rules['terminal.offline']);
    presence.offline = decision.offline;
    const wasMember = this.#outages.isMember(t);
    const hold = this.#comeOrGo(t, key, decision);
    const isFlapping = this.#judgeUnstable(t, key, wasMember || this.#outages.isMember(t));
    const verdict = verdictOf(decision, isFlapping, hold);
    this.#core.announce('terminal.offline', key, subjectOf(t), (firing) => withBestCause(verdict, firing));
    const nextAt = verdict.condition === null && hold ? Math.min(decision.nextAt, hold.until) : decision.nextAt;
    presence.isHeld = decision.why === 'blind';
    if (presence.isHeld) this.#held.add(key);
    else this.#held.delete(key);
    presence.wakeAt = Number.isFinite(nextAt) ? nextAt : null;
    wheel.set('presence', key, nextAt);
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

  /** All of a terminal's site, it itself among them. */
  siteOf(key: string): Iterable<string> {
    return this.#groups.membersOfSite(key);
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

  /** Only what is of the present explains a silence that comes; a backlog does not. */
  #noteSigns(t: Terminal, { facts: { why, message, note }, samples, before }: News): void {
    const { now } = this.#core;
    if (why !== 'new' || !note?.current) return;
    if (message?.channel === 'birth') noteBirth(t);
    if (message?.channel === 'event') noteEvent(t, message.body, now);
    let last = before;
    for (const sample of samples) {
      if (sample.at > now - 2 * intervalMs(t)) noteSample(t, sample, last, now);
      last = sample;
    }
  }

  /** Counts it among those that it shares something with, as it is now. */
  #count(t: Readonly<Terminal>, key: string): void {
    const { counted, gone } = t.presence;
    if (!mayAlert(t.binding)) return this.#groups.forget(key);
    const standing = counted === 'gone' ? ({ is: 'gone', until: gone!.until } as const) : STANDINGS[counted];
    this.#groups.count(key, t, this.#core.hoursOf(t), standing);
  }

  /** Notes whether it came or went by this decision. Returns why nothing is to be said of it alone, where that is so. */
  #comeOrGo(t: Terminal, key: string, { counted }: PresenceDecision): Hold | null {
    const { presence } = t;
    const wasGone = presence.gone !== null;
    this.#countTime(t);
    if (this.#core.inMaintenance(subjectOf(t), this.#core.now)) presence.counted = 'away';
    else if (counted !== null) presence.counted = counted;
    if (presence.counted === 'gone') presence.gone ??= this.#goneNow(t);
    else presence.gone = null;
    this.#count(t, key);
    if (!mayAlert(t.binding)) this.#outages.left(t, key);
    else if (presence.gone === null) this.#outages.isBack(t, key);
    if (presence.gone === null || !mayAlert(t.binding)) return null;
    const hold = this.#outages.holdOf(t, key);
    if (!wasGone && !hold) this.#tellNeighbours(key);
    return hold;
  }

  #goneNow(t: Readonly<Terminal>): { at: number; until: number } {
    const { now, rules } = this.#core;
    return { at: now, until: now + Math.max(rules.outage.windowMinutes * MINUTE_MS, intervalMs(t)) };
  }

  /** What was said of the others of a site may have another cause now that one more has gone. */
  #tellNeighbours(key: string): void {
    const { siteLost, siteOthers } = this.#groups.siteOf(key, this.#core.now);
    if (siteLost === 0 || siteLost * 2 < siteOthers) return;
    for (const other of this.#groups.goneBeside(key)) this.judge(other);
  }

  /** Who comes or goes with an outage does not flap. */
  #judgeUnstable(t: Terminal, key: string, withOutage: boolean): boolean {
    const { now, wheel, rules } = this.#core;
    const { presence } = t;
    const isThere = presence.offline === null && presence.lostAt === null;
    if (presence.wasThere !== null && presence.wasThere !== isThere && !withOutage) {
      presence.changes = withChange(presence.changes, now, rules['terminal.unstable']);
    }
    if (presence.lifeAt !== null) presence.wasThere = isThere;
    const { changes } = presence;
    if (!changes) return false;
    const because = () => becauseOf(t, this.#surroundings(key), now, rules['terminal.offline']);
    this.#core.announce('terminal.unstable', key, subjectOf(t), (firing) =>
      mayAlert(t.binding)
        ? judgeUnstable(changes, firing, now, rules['terminal.unstable'], because)
        : { why: 'lifecycle', condition: null },
    );
    const isUnstable = this.#isUnstable(key);
    wheel.set('unstable', key, isUnstable ? quietAt(changes, rules['terminal.unstable']) : Number.POSITIVE_INFINITY);
    return isUnstable;
  }

  #isUnstable(key: string): boolean {
    return this.#core.state.alerts.get(`terminal.unstable ${key}`) !== undefined;
  }

  /** It was connected until it was last heard, and not while it was gone; what came after its last word is not known yet. */
  #countTime(t: Terminal): void {
    const { state, book, now } = this.#core;
    const { lifeAt, lostAt, gone } = t.presence;
    if (lifeAt === null) return;
    const tz = this.#core.zoneOf(t);
    t.availability ??= newAvailability(lifeAt, tz, book);
    const to = gone === null ? Math.max(lifeAt, lostAt ?? 0) : now;
    const planned = this.#core.plannedBetween(subjectOf(t), t.availability.countedTo, to);
    const leftOut = merged([...unseen(state.meta.blindness, t.node, now), ...planned]);
    countTime(t.availability, to, gone === null, { hours: this.#core.hoursOf(t), tz, book, leftOut });
  }

  #hourly(t: Terminal, key: string): void {
    this.#countTime(t);
    this.#row(t, key);
  }

  #row(t: Terminal, key: string): void {
    const { now, wheel, book } = this.#core;
    const { acquirer, sn } = t;
    const expected = book.isOpen(this.#core.hoursOf(t), now);
    this.#core.row({ measurement: 'presence', at: now, acquirer, ...placeOf(t), sn, state: this.stateOf(t), expected });
    t.presence.rowAt = now + HOUR_MS;
    wheel.set('hourly', key, t.presence.rowAt);
  }

  #sightOf(t: Readonly<Terminal>, key: string): Sight {
    const { now, rules } = this.#core;
    return { ...this.#viewOf(t), because: (): Because => becauseOf(t, this.#surroundings(key), now, rules['terminal.offline']) };
  }

  #viewOf(t: Readonly<Terminal>): Omit<Sight, 'because'> {
    const { state, book } = this.#core;
    const { blindness } = state.meta;
    return { hours: this.#core.hoursOf(t), book, blind: isBlind(blindness, t.node), blindUntil: blindUntil(blindness, t.node) };
  }

  #surroundings(key: string): Surroundings {
    const weakening = this.#core.state.alerts.get(`coverage.weakening ${key}`) !== undefined;
    return { ...this.#groups.siteOf(key, this.#core.now), weakening };
  }
}

function subjectOf(t: Readonly<Terminal>) {
  return { acquirer: t.acquirer, ...placeOf(t), terminal: t.sn };
}

/** What is said of a terminal alone is held while it flaps, and while it is, or may be, part of something larger. */
function verdictOf({ why, condition }: PresenceDecision, isFlapping: boolean, hold: Hold | null): Verdict {
  if (condition === null) return { why, condition };
  if (isFlapping) return { why: 'flapping', condition: null };
  return hold ? { why: hold.why, condition: null, closing: hold.closing } : { why, condition: condition() };
}

/** A cause is revised where there is better evidence for another, and kept where what spoke for it is over. */
function withBestCause(verdict: Verdict, firing: Condition | null): Verdict {
  const { condition } = verdict;
  if (!condition || !firing || condition.confidence > firing.confidence) return verdict;
  const { cause, confidence, evidence } = firing;
  return { ...verdict, condition: { ...condition, cause, confidence, evidence } };
}

/** Whether nothing is known of it but that it is heard. */
function isQuietlyThere({ presence, outage }: Readonly<Terminal>): boolean {
  const { state, counted, goodbyeAt, lostAt, gone, offline, wasThere, isHeld, changes } = presence;
  const isThere = state === 'online' && counted === 'there' && wasThere === true;
  return isThere && goodbyeAt === null && lostAt === null && gone === null && offline === null && !isHeld && changes === null && !outage;
}

/** While a terminal is simply heard, its deadline can wait where it is: it is moved when it comes due. */
function needsJudging({ presence }: Readonly<Terminal>, { why, message }: Facts): boolean {
  return (
    presence.state !== 'online' ||
    presence.counted !== 'there' ||
    why === 'will' ||
    message?.channel === 'birth' ||
    message?.channel === 'state'
  );
}
