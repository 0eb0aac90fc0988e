/**
 * Outages: many that share something went at once. Told of who comes and who goes, it finds what they share, keeps who belongs to an
 * outage, and holds what would be said of each of them alone.
 */
import type { Evidence, Subject } from '../../protocol/alerts.ts';
import { terminalKey } from '../../protocol/topics.ts';
import { type Group, type Groups, justGone } from '../fleet/groups.ts';
import type { Outage } from '../fleet/outages.ts';
import { intervalMs, type OutageMember, placeOf, type Terminal } from '../fleet/terminals.ts';
import { causeOfOutage, explanation, isOutage, type Loss } from '../rules/outage.ts';
import type { Condition } from '../rules/verdict.ts';
import type { FoldCore } from './core.ts';

/** What an alert names at most. */
const MEMBERS_NAMED = 20;
const ODD_ONES_NAMED = 10;
/** Groups that lost more than this are compared once a second. */
const QUICKLY_COMPARED = 500;
const COMPARED_EVERY_MS = 1_000;
/** How often a single that is held is looked at again. */
const LOOK_AGAIN_MS = 10_000;

/** Why nothing is said of a terminal alone, and when to look again. */
export interface Hold {
  why: 'in_outage' | 'after_outage' | 'may_be_outage';
  until: number;
  closing: Evidence[];
}

export class Outages {
  readonly duties = { outage: (key: string) => this.#tell(key) };
  readonly #core: FoldCore;
  readonly #groups: Groups;
  /** Judges a terminal's presence anew. */
  readonly #judge: (key: string) => void;
  /** Members that are not back, by outage. */
  readonly #missing = new Map<string, Set<string>>();

  constructor(core: FoldCore, groups: Groups, judge: (key: string) => void) {
    this.#core = core;
    this.#groups = groups;
    this.#judge = judge;
  }

  /** Takes a loaded terminal back into its outage. */
  load(t: Readonly<Terminal>): void {
    if (t.outage && !t.outage.back && this.#of(t.outage)) this.#missingOf(t.outage.key).add(terminalKey(t));
  }

  loadAll(): void {
    for (const outage of this.#core.state.outages.values()) {
      this.#core.wheel.set('outage', outage.key, outage.tellAt ?? Number.POSITIVE_INFINITY);
    }
  }

  /** Whether it belongs to an outage that goes on, back or not. */
  isMember({ outage }: Readonly<Terminal>): boolean {
    return outage !== null && this.#of(outage) !== null;
  }

  /** A terminal is gone: what that means for what is said of it alone. Null: nothing. */
  holdOf(t: Terminal, key: string): Hold | null {
    const { outage } = t;
    if (outage && this.#of(outage)) return this.#goneAgain(outage, key);
    if (outage?.endedAt != null) return this.#afterEnd(t, outage.endedAt);
    t.outage = null;
    const ongoing = this.#ongoingOf(key);
    if (ongoing !== null) return this.#join(t, key, ongoing);
    return this.#lookFor(t, key);
  }

  /** A terminal is there again. */
  isBack(t: Terminal, key: string): void {
    const member = t.outage;
    if (!member || member.back) return;
    const outage = this.#of(member);
    if (!outage) t.outage = null;
    else {
      member.back = true;
      outage.back++;
      this.#missingOf(member.key).delete(key);
      this.#endIfBack(member.key, outage);
    }
  }

  /** A terminal may raise nothing any more: it was unbound, or deleted. */
  left(t: Terminal, key: string): void {
    const member = t.outage;
    t.outage = null;
    const outage = member && this.#of(member);
    if (!outage) return;
    outage.members--;
    if (member.back) outage.back--;
    this.#missingOf(member.key).delete(key);
    this.#endIfBack(member.key, outage);
  }

  #goneAgain(member: OutageMember, key: string): Hold {
    const outage = this.#of(member)!;
    if (member.back) {
      member.back = false;
      outage.back--;
      this.#missingOf(member.key).add(key);
    }
    return inOutage(outage, this.#core.now);
  }

  /** It was missing when its outage ended: it has an interval to come back. */
  #afterEnd(t: Readonly<Terminal>, endedAt: number): Hold | null {
    const { book, now, rules } = this.#core;
    const until = book.after(this.#core.hoursOf(t), endedAt, rules.outage.missingIntervals * intervalMs(t));
    return now < until ? { why: 'after_outage', until, closing: [] } : null;
  }

  #ongoingOf(key: string): string | null {
    const { outages } = this.#core.state;
    return this.#groups.placeOf(key).find((group) => group && outages.get(group.key))?.key ?? null;
  }

  #join(t: Terminal, key: string, groupKey: string): Hold {
    const { now, state, wheel, rules } = this.#core;
    const outage = state.outages.change(groupKey)!;
    this.#add(outage, groupKey, t, key);
    outage.tellAt ??= Math.max(now, outage.toldAt + rules.outage.tellSeconds * 1000);
    wheel.set('outage', groupKey, outage.tellAt);
    return inOutage(outage, now);
  }

  /** Looks at what the terminal shares with others that went. */
  #lookFor(t: Readonly<Terminal>, key: string): Hold | null {
    const { now, rules } = this.#core;
    const losses = this.#groups
      .placeOf(key)
      .flatMap((group) => (group && group.gone.size + group.holding.size > 1 ? [this.#loss(group)] : []));
    const together = losses.filter(({ lost, expected }) => isOutage(lost, expected, rules.outage));
    const largest = together.at(-1);
    if (!largest) return null;
    const waits: Hold = { why: 'may_be_outage', until: this.#holdEnds(t, together), closing: [] };
    const comparedAgainAt = this.#comparedAgainAt(largest);
    // Whoever opens it takes all along: to look again each second, all in the same moment, would be for nothing.
    if (comparedAgainAt > now) return waits.until > now ? waits : { ...waits, until: comparedAgainAt };
    const named = explanation(together, rules.outage)!;
    if (isOutage(named.gone, named.expected, rules.outage)) {
      this.#open(named);
      return inOutage(this.#core.state.outages.get(named.group.key)!, now);
    }
    return now < waits.until ? waits : null;
  }

  #loss(group: Group): Loss {
    const gone = justGone(group, this.#core.now).size;
    return { group, gone, lost: gone + group.holding.size, expected: this.#groups.expectedIn(group, this.#core.now) + gone };
  }

  /** Groups that lost very many are compared once a second: until then it is not known what they share. */
  #comparedAgainAt({ group, lost }: Loss): number {
    const { now, state } = this.#core;
    const againAt = state.meta.compared[group.key] ?? now;
    if (lost > QUICKLY_COMPARED && againAt <= now) state.changeMeta().compared[group.key] = now + COMPARED_EVERY_MS;
    return lost > QUICKLY_COMPARED ? againAt : now;
  }

  /** A single is held until those that are held down have gone or come back, and no longer than a hold-down takes. */
  #holdEnds({ presence }: Readonly<Terminal>, losses: readonly Loss[]): number {
    const { now, rules } = this.#core;
    const holdMs = rules['terminal.offline'].lostHoldSeconds * 1000;
    const longest = (presence.offline?.at ?? now) + holdMs;
    return losses.some(({ lost, gone }) => lost > gone) ? Math.min(now + LOOK_AGAIN_MS, longest) : now;
  }

  #open({ group, expected }: Loss): void {
    const { state, now } = this.#core;
    const keys = [...justGone(group, now).keys()];
    const before = new Set<string>();
    const outage = state.outages.set(group.key, {
      key: group.key,
      kind: group.kind,
      subject: this.#subjectOf(group),
      startsAt: now,
      alert: null,
      members: 0,
      back: 0,
      powerless: 0,
      expected,
      named: [],
      toldAt: now,
      tellAt: null,
    });
    for (const key of keys) {
      const t = state.terminals.change(key)!;
      if (t.outage && this.#of(t.outage)) before.add(t.outage.key);
      this.#add(outage, group.key, t, key);
    }
    for (const key of [...before].sort()) this.#takeOver(key, outage, group.key);
    this.#announce(group.key, outage);
    outage.alert = state.alerts.get(`outage ${group.key}`)?.id ?? null;
    for (const key of [...before].sort()) this.#close(key, [merged(outage, now)]);
    const told = keys.filter((key) => state.alerts.get(`terminal.offline ${key}`));
    for (const key of told.sort()) this.#fold(key, outage);
  }

  /** A smaller outage turns out to be a part of this one: who is still missing comes along. */
  #takeOver(key: string, outage: Outage, into: string): void {
    for (const member of [...this.#missingOf(key)].sort()) {
      const t = this.#core.state.terminals.change(member)!;
      if (t.outage?.key === key) this.#add(outage, into, t, member);
    }
  }

  /** What was said of a member alone is a part of the outage now. */
  #fold(key: string, outage: Readonly<Outage>): void {
    const t = this.#core.state.terminals.get(key)!;
    const subject = { acquirer: t.acquirer, ...placeOf(t), terminal: t.sn };
    this.#core.announce('terminal.offline', key, subject, () => ({
      why: 'in_outage',
      condition: null,
      closing: [merged(outage, this.#core.now)],
    }));
  }

  #add(outage: Outage, groupKey: string, t: Terminal, key: string): void {
    if (t.outage && t.outage.key !== groupKey) this.#missing.get(t.outage.key)?.delete(key);
    t.outage = { key: groupKey, startsAt: outage.startsAt, back: false, endedAt: null, endedAs: null };
    this.#missingOf(groupKey).add(key);
    outage.members++;
    if (t.signs?.mainsLost !== undefined) outage.powerless++;
    name(outage, t.sn);
  }

  #endIfBack(key: string, outage: Readonly<Outage>): void {
    if (outage.back * 100 < this.#core.rules.outage.backPercent * outage.members) return;
    const missing = [...this.#missingOf(key)].sort();
    const { cause } = causeOfOutage(outage.kind, outage.powerless, outage.members);
    this.#close(key, [{ what: 'back', value: outage.back, limit: outage.members, at: this.#core.now }]);
    for (const member of missing) {
      const t = this.#core.state.terminals.change(member)!;
      if (t.outage) Object.assign(t.outage, { endedAt: this.#core.now, endedAs: cause });
      this.#judge(member);
    }
  }

  #close(key: string, closing: Evidence[]): void {
    const { state, wheel } = this.#core;
    const outage = state.outages.get(key)!;
    state.outages.delete(key);
    this.#missing.delete(key);
    wheel.clear('outage', key);
    this.#core.announce('outage', key, outage.subject, () => ({ why: 'over', condition: null, closing }));
  }

  #tell(key: string): void {
    const outage = this.#core.state.outages.change(key);
    if (outage) this.#announce(key, outage);
  }

  #announce(key: string, outage: Outage): void {
    const { now } = this.#core;
    outage.toldAt = now;
    outage.tellAt = null;
    this.#core.announce('outage', key, outage.subject, () => ({ why: outage.kind, condition: this.#conditionOf(key, outage) }));
  }

  #conditionOf(key: string, outage: Readonly<Outage>): Condition {
    const { now } = this.#core;
    const { kind, members, powerless, expected, named } = outage;
    const evidence: Evidence[] = [{ what: 'lost', value: members, limit: Math.max(expected, members), at: now }];
    for (const sn of this.#oddOnesOut(key)) evidence.push({ what: 'odd_one_out', value: sn, at: now });
    const cause = causeOfOutage(kind, powerless, members);
    return { severity: 'critical', reason: kind, ...cause, evidence, predicted: null, count: members, members: [...named] };
  }

  /** Who of the group is still there, where the group is small enough to be named. */
  #oddOnesOut(key: string): string[] {
    const { state, book, now } = this.#core;
    const odd: string[] = [];
    for (const member of this.#groups.get(key)?.members ?? []) {
      const t = state.terminals.get(member)!;
      if (t.outage?.key !== key && t.presence.gone === null && book.isOpen(this.#core.hoursOf(t), now)) odd.push(t.sn);
    }
    return odd.sort().slice(0, ODD_ONES_NAMED);
  }

  /** Where all of the group are one acquirer's, it is that one's alert. */
  #subjectOf({ subject, acquirers }: Group): Partial<Subject> {
    const [only] = acquirers.keys();
    return acquirers.size === 1 ? { ...subject, acquirer: only! } : subject;
  }

  /** The outage that the terminal is a member of, while it goes on. */
  #of({ key, startsAt, endedAt }: OutageMember): Outage | null {
    if (endedAt !== null) return null;
    const { outages } = this.#core.state;
    return outages.get(key)?.startsAt === startsAt ? outages.change(key)! : null;
  }

  #missingOf(key: string): Set<string> {
    const known = this.#missing.get(key) ?? new Set<string>();
    this.#missing.set(key, known);
    return known;
  }
}

function inOutage(outage: Readonly<Outage>, at: number): Hold {
  return { why: 'in_outage', until: Number.POSITIVE_INFINITY, closing: [merged(outage, at)] };
}

function merged({ alert }: Readonly<Outage>, at: number): Evidence {
  return { what: 'merged', value: alert, at };
}

function name(outage: Outage, sn: string): void {
  const { named } = outage;
  if (named.length === MEMBERS_NAMED && sn >= named.at(-1)!) return;
  if (named.includes(sn)) return;
  named.push(sn);
  named.sort();
  if (named.length > MEMBERS_NAMED) named.pop();
}
