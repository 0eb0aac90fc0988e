/** platform.blind: we cannot see, or are late in what we see. */
import { type PlatformRow, troublesOf } from '../fleet/platform.ts';
import type { Condition, Verdict } from './verdict.ts';

/** One alert, whatever is down: its reason is what blinds, or else what came first. Its end says what its evidence did not yet. Silent verdict: well. */
export function judgePlatform(row: Readonly<PlatformRow>, firing: Condition | null): Verdict {
  const [first, ...others] = troublesOf(row);
  if (!first) return { why: 'well', condition: null, closing: row.events.filter((event) => !isTold(event, firing)) };
  const { part } = first;
  return {
    why: part,
    condition: {
      severity: 'critical',
      reason: part,
      cause: part,
      confidence: 1,
      evidence: [...row.events],
      predicted: null,
      count: 1 + others.length,
    },
  };
}

function isTold({ what, value, at }: PlatformRow['events'][number], firing: Condition | null): boolean {
  return firing?.evidence.some((told) => told.what === what && told.value === value && told.at === at) ?? false;
}
