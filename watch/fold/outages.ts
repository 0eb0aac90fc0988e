/**
 * Outages that go on: who belongs to one, who of them is back, and when it is told and over. It alone changes the state's outages and a
 * terminal's part in one, and holds what would be said of a member alone. Whether there is one at all is found in losses.ts.
 */
import type { Evidence } from '../../protocol/alerts.ts';
import { type Groups, justGone } from '../fleet/groups.ts';
import { countMember, newOutage, type Outage } from '../fleet/outages.ts';
import { intervalMs, type OutageMember, placeOf, type Terminal } from '../fleet/terminals.ts';
import { causeOfOutage, conditionOfOutage, type Loss } from '../rules/outage.ts';
import type { FoldCore } from './core.ts';
import { Losses } from './losses.ts';

/** Of those that are still there, an alert names so many at most. */
const ODD_ONES_NAMED = 10;

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
  readonly #losses: Losses;
  /** Judges a terminal's presence anew. */
  readonly #judge: (key: string) => void;
  /** Members that are not back, by outage. */
  readonly #missing = new Map<string, Set<string>>();

  constructor(core: FoldCore, groups: Groups, judge: (key: string) => void) {
    this.#core = core;
    this.#groups = groups;
    this.#losses = new Losses(core, groups);
    this.#judge = judge;
  }

  /** Takes a loaded terminal back into its outage. */
  load(t: Readonly<Terminal>): void {
    if (t.outage && !t.outage.back && this.#of(t.outage)) this.#missingOf(t.outage.key).add(t.key);
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
    return this.#found(t, key);
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
    return this.#groups.placeOf(key).find((group) => outages.get(group.key))?.key ?? null;
  }

  #join(t: Terminal, key: string, groupKey: string): Hold {
    const { now, state, wheel, rules } = this.#core;
    const outage = state.outages.change(groupKey)!;
    this.#add(outage, groupKey, t, key);
    outage.tellAt ??= Math.max(now, outage.toldAt + rules.outage.tellSeconds * 1000);
    wheel.set('outage', groupKey, outage.tellAt);
    return inOutage(outage, now);
  }

  /** It may have gone with others. */
  #found(t: Readonly<Terminal>, key: string): Hold | null {
    const finding = this.#losses.find(t, key);
    if (finding === null) return null;
    if ('until' in finding) return { why: 'may_be_outage', until: finding.until, closing: [] };
    return inOutage(this.#open(finding.outage), this.#core.now);
  }

  #open({ group, expected }: Loss): Readonly<Outage> {
    const { state, now } = this.#core;
    const keys = [...justGone(group, now).keys()];
    const before = new Set<string>();
    const outage = state.outages.set(group.key, newOutage(group, expected, now));
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
    return outage;
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
    countMember(outage, t);
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
    const condition = () => conditionOfOutage(outage, this.#oddOnesOut(key), now);
    this.#core.announce('outage', key, outage.subject, () => ({ why: outage.kind, condition: condition() }));
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
