/**
 * Losses: what a terminal that went shares with others that went, and whether that is an outage. It counts by the groups, keeps only when
 * very large ones are compared again, and changes no terminal: what follows from its findings is done in outages.ts.
 */
import { countMissing, type Group, type Groups, justGone } from '../fleet/groups.ts';
import type { Terminal } from '../fleet/terminals.ts';
import { explanation, isOutage, type Loss } from '../rules/outage.ts';
import type { FoldCore } from './core.ts';

/** Groups that lost more than this are compared once a second. */
const QUICKLY_COMPARED = 500;
const COMPARED_EVERY_MS = 1_000;
/** How often a single that is held is looked at again. */
const LOOK_AGAIN_MS = 10_000;

/** An outage, or that it may be one, and when to look again. */
export type Finding = { outage: Loss } | { until: number };

export class Losses {
  readonly #core: FoldCore;
  readonly #groups: Groups;

  constructor(core: FoldCore, groups: Groups) {
    this.#core = core;
    this.#groups = groups;
  }

  /** Of a terminal that is gone and in no outage; null where it went alone. */
  find(t: Readonly<Terminal>, key: string): Finding | null {
    const { now, rules } = this.#core;
    const together = this.#lostWith(key).filter(({ lost, expected }) => isOutage(lost, expected, rules.outage));
    const largest = together.at(-1);
    if (!largest) return null;
    const until = this.#holdEnds(t, together);
    const comparedAgainAt = this.#comparedAgainAt(largest);
    // Whoever opens it takes all along: to look again each second, all in the same moment, would be for nothing.
    if (comparedAgainAt > now) return { until: until > now ? until : comparedAgainAt };
    const named = explanation(together, rules.outage)!;
    if (isOutage(named.gone, named.expected, rules.outage)) return { outage: named };
    return now < until ? { until } : null;
  }

  /** What each of its groups lost, from the smallest kind to the largest, where it is not the only one. */
  #lostWith(key: string): Loss[] {
    return this.#groups.placeOf(key).flatMap((group) => (countMissing(group) > 1 ? [this.#lossOf(group)] : []));
  }

  #lossOf(group: Group): Loss {
    const { now } = this.#core;
    const gone = justGone(group, now).size;
    return { group, gone, lost: countMissing(group), expected: this.#groups.expectedIn(group, now) + gone };
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
}
