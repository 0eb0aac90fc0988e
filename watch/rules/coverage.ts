/** coverage.weakening: the signal will not hold. Which of the signs is told, how grave it is, and why it may be so. */
import type { Reason } from '../../protocol/alerts.ts';
import { type Coverage, usuallyWeak } from '../fleet/coverage.ts';
import { mayAlert, type Terminal } from '../fleet/terminals.ts';
import { causeOf } from './coverage-cause.ts';
import { evidenceOf, predictedFor } from './coverage-evidence.ts';
import type { CoverageRules } from './defaults.ts';
import type { Condition, Verdict } from './verdict.ts';

type CoverageReason = Reason<'coverage.weakening'>;

/** Of those that come at once, the first is told: what says more stands first. */
const ORDER: readonly CoverageReason[] = ['agent', 'trend', 'step', 'band', 'reconnects'];

/**
 * Judges by what is known, at whatever time: what stands goes on standing while a terminal is silent. Silent verdicts: holds, usual (it
 * lives in a weak band, which was told once), lifecycle, not_bound.
 */
export function judgeCoverage(t: Readonly<Terminal>, c: Readonly<Coverage>, firing: Condition | null, rules: CoverageRules): Verdict {
  if (!mayAlert(t.binding)) return { why: quietWhy(t), condition: null };
  const usual = usuallyWeak(c, rules.usualDays, rules.usualDaysOf);
  const isUsual = c.signs.band && (c.signs.weak & ~usual) === 0;
  const reason = reasonOf(c, isUsual, firing);
  if (reason) return { why: reason, condition: conditionOf(c, reason, 'warning', c.signs.weak & ~usual, firing, rules) };
  if (!isUsual) return { why: 'holds', condition: null };
  if (c.told && !firing) return { why: 'usual', condition: null };
  return { why: 'lives_weak', condition: conditionOf(c, 'band', 'info', c.signs.weak, firing, rules) };
}

/** Why nothing is said of a terminal without any sign. */
export function quietWhy({ binding }: Readonly<Terminal>): 'holds' | 'lifecycle' | 'not_bound' {
  if (!binding) return 'not_bound';
  return mayAlert(binding) ? 'holds' : 'lifecycle';
}

/** The one that came first, as long as it holds. A weak band that is usual is no warning. */
function reasonOf({ signs, agent }: Readonly<Coverage>, isUsual: boolean, firing: Condition | null): CoverageReason | undefined {
  const holds: Record<CoverageReason, boolean> = {
    agent: agent !== null && agent.warning !== null,
    trend: signs.trend,
    step: signs.step,
    band: signs.band && !isUsual,
    reconnects: signs.reconnecting,
  };
  const first = firing?.reason as CoverageReason | undefined;
  return first && holds[first] ? first : ORDER.find((reason) => holds[reason]);
}

/** A cause that was found stays while its reason does, so that it does not change with each report; only a move is news. */
function conditionOf(
  c: Readonly<Coverage>,
  reason: CoverageReason,
  severity: 'warning' | 'info',
  weak: number,
  firing: Condition | null,
  rules: CoverageRules,
): Condition {
  const found = causeOf(c, reason, weak);
  const isSame = firing?.reason === reason && firing.severity === severity;
  const stays = isSame && firing.cause !== 'unknown' && found.cause !== 'relocated';
  const { cause, confidence } = stays ? firing : found;
  return { severity, reason, cause, confidence, evidence: evidenceOf(c, reason), predicted: predictedFor(c, reason, rules) };
}
