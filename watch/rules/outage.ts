/** outage: many went at once, and what they share says why. */
import type { Evidence } from '../../protocol/alerts.ts';
import { type Group, type GroupKind, isMissing, missingFrom } from '../fleet/groups.ts';
import type { Outage } from '../fleet/outages.ts';
import type { OutageRules } from './defaults.ts';
import type { Condition } from './verdict.ts';

/** One group, and who of it was lost. */
export interface Loss {
  group: Group;
  /** How many went, their hold-down over; with those that are held down: how many will have gone unless they come back. */
  gone: number;
  lost: number;
  /** How many of the group were expected and alive just before. */
  expected: number;
}

/** Whether so many of so many are an outage. */
export function isOutage(gone: number, expected: number, rules: OutageRules): boolean {
  return gone >= rules.leastTerminals && gone * 100 >= rules.leastPercent * expected;
}

/**
 * Of groups that qualify together, from the smallest kind to the largest, the one to name: the smallest that covers most of what they
 * lost between them, and a version of the app only where no place does. Where none covers enough, the one that covers most.
 */
export function explanation(losses: readonly Loss[], rules: OutageRules): Loss | null {
  const places = losses.filter(({ group }) => group.kind !== 'app');
  return smallestThatCovers(places, losses, rules) ?? smallestThatCovers(losses, losses, rules) ?? mostOf(losses);
}

function smallestThatCovers(candidates: readonly Loss[], losses: readonly Loss[], rules: OutageRules): Loss | null {
  const all = unionSize(losses);
  return candidates.find(({ lost }) => lost * 100 >= rules.coverPercent * all) ?? null;
}

function mostOf(losses: readonly Loss[]): Loss | null {
  return losses.reduce<Loss | null>((most, loss) => (most === null || loss.lost > most.lost ? loss : most), null);
}

/** How many terminals the groups lost between them. */
function unionSize(losses: readonly Loss[]): number {
  let [largest] = losses;
  for (const loss of losses) if (loss.lost > largest!.lost) largest = loss;
  const others = new Set<string>();
  for (const { group } of losses) {
    if (group === largest!.group) continue;
    for (const key of missingFrom(group)) if (!isMissing(largest!.group, key)) others.add(key);
  }
  return (largest?.lost ?? 0) + others.size;
}

/** The cause that an outage is given: what its members share, or their power where most of them told that it went. */
export function causeOfOutage(kind: GroupKind, powerless: number, members: number): { cause: string; confidence: number } {
  if (kind === 'site' && powerless * 2 >= members) return { cause: 'power', confidence: 0.9 };
  return { cause: kind, confidence: 0.8 };
}

/** What is wrong while an outage goes on. `oddOnesOut`: serial numbers of those of the group that are still there. */
export function conditionOfOutage(outage: Readonly<Outage>, oddOnesOut: readonly string[], at: number): Condition {
  const { kind, members, powerless, expected, named } = outage;
  const evidence: Evidence[] = [
    { what: 'lost', value: members, limit: Math.max(expected, members), at },
    ...oddOnesOut.map((sn) => ({ what: 'odd_one_out', value: sn, at })),
  ];
  const cause = causeOfOutage(kind, powerless, members);
  return { severity: 'critical', reason: kind, ...cause, evidence, predicted: null, count: members, members: [...named] };
}
