/** How often each limit acted, from the places that know. */
import type { Refusals } from '../refusals.ts';
import { LIMIT_NAMES, LIMITS, type LimitName } from './table.ts';

/** What acted without a refusal. */
export interface Acted {
  add(name: LimitName): void;
  count(name: LimitName): number;
}

export function createActed(): Acted {
  const counts: Partial<Record<LimitName, number>> = {};
  return {
    add: (name) => {
      counts[name] = (counts[name] ?? 0) + 1;
    },
    count: (name) => counts[name] ?? 0,
  };
}

export interface Counting {
  acted: Acted;
  refusals: Pick<Refusals, 'counts'>;
}

export function limitsActed({ acted, refusals }: Counting): Record<LimitName, number> {
  const refused = refusals.counts();
  const count = (name: LimitName) => {
    const limit = LIMITS[name];
    return 'refusal' in limit ? (refused[limit.refusal] ?? 0) : acted.count(name);
  };
  return Object.fromEntries(LIMIT_NAMES.map((name) => [name, count(name)])) as Record<LimitName, number>;
}
