/** terminal.unstable: a terminal comes and goes. */

import type { Because } from './causes.ts';
import type { UnstableRules } from './defaults.ts';
import type { Condition, Verdict } from './verdict.ts';

const MINUTE_MS = 60_000;

/** With a change more; more than the rule looks at are not kept. */
export function withChange(changes: readonly number[] | null, at: number, rules: UnstableRules): number[] {
  return [...(changes ?? []), at].slice(-rules.changes);
}

/** When an unstable terminal will have been quiet for long enough. */
export function quietAt(changes: readonly number[], rules: UnstableRules): number {
  return (changes.at(-1) ?? Number.NEGATIVE_INFINITY) + rules.windowMinutes * MINUTE_MS;
}

/** Reasons for silence: steady, quiet_again. */
export function judgeUnstable(
  changes: readonly number[],
  firing: Condition | null,
  at: number,
  rules: UnstableRules,
  because: () => Because,
): Verdict {
  if (firing) return at < quietAt(changes, rules) ? { why: 'flapping', condition: firing } : { why: 'quiet_again', condition: null };
  const first = changes[0];
  if (changes.length < rules.changes || first === undefined || at - first > rules.windowMinutes * MINUTE_MS) {
    return { why: 'steady', condition: null };
  }
  const { cause, confidence, evidence } = because();
  const counted = { what: 'changes', value: changes.length, limit: rules.changes, at };
  return {
    why: 'flapping',
    condition: { severity: 'warning', reason: 'flapping', cause, confidence, evidence: [counted, ...evidence], predicted: null },
  };
}
