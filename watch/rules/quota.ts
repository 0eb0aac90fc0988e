/** quota.terminals: a merchant nears, reaches or passes its terminal limit. */
import type { Evidence, Severity } from '../../protocol/alerts.ts';
import { type Merchant, usedSlots } from '../fleet/merchants.ts';
import type { QuotaRules } from './defaults.ts';
import type { Condition, Verdict } from './verdict.ts';

const DAY_MS = 86_400_000;

type Level = { rank: number; reason: 'approaching' | 'reached' | 'over'; severity: Severity };

const NOTHING = { rank: 0 } as const;

/**
 * What `used` slots of `limit` amount to. Percent and slots left both count, because a merchant of five slots has no 80 %.
 */
function levelOf(used: number, limit: number, rules: QuotaRules): Level | typeof NOTHING {
  const left = limit - used;
  if (left < 0) return { rank: 4, reason: 'over', severity: 'critical' };
  const tiny = limit <= rules.tinyLimit;
  if (left === 0 && used > 0) return { rank: 3, reason: 'reached', severity: tiny ? 'info' : 'critical' };
  if (tiny || used === 0) return NOTHING;
  if (used * 100 >= rules.criticalPercent * limit || left <= rules.criticalLeft)
    return { rank: 2, reason: 'approaching', severity: 'critical' };
  return used >= approachingLine(limit, rules) ? { rank: 1, reason: 'approaching', severity: 'warning' } : NOTHING;
}

/** The line of `approaching`, in hundredths of a slot, so that percent and slots compare exactly. */
function lineHundredths(limit: number, rules: QuotaRules): number {
  const left = limit >= rules.smallLimit ? rules.approachingLeft : rules.approachingLeftSmall;
  return Math.min(rules.approachingPercent * limit, 100 * (limit - left));
}

/** The least use that is `approaching`. */
function approachingLine(limit: number, rules: QuotaRules): number {
  return Math.ceil(lineHundredths(limit, rules) / 100);
}

/** Whether a firing alert holds on under its line: use is not yet far enough below it. */
function heldBySlack(used: number, limit: number, rules: QuotaRules): boolean {
  if (limit <= rules.tinyLimit) return false;
  const slots = limit < rules.slackSmallLimit ? rules.slackSlotsSmall : rules.slackSlots;
  const underSlots = approachingLine(limit, rules) - used >= slots;
  const underPoints = used * 100 <= lineHundredths(limit, rules) - rules.slackPoints * limit;
  return used > 0 && !(underSlots && underPoints);
}

/**
 * Judges a merchant at `at`. `firing`: the condition of its alert now, which gives the slack and keeps its cause. Reasons for silence: no_limit, below_line.
 */
export function judgeQuota(m: Readonly<Merchant>, firing: Condition | null, at: number, rules: QuotaRules): Verdict {
  if (m.limit === null) return { why: 'no_limit', condition: null };
  const used = usedSlots(m);
  let level = levelOf(used, m.limit, rules);
  let why: string = level.rank > 0 ? (level as Level).reason : 'below_line';
  if (level.rank === 0 && firing && heldBySlack(used, m.limit, rules)) {
    level = { rank: 1, reason: 'approaching', severity: 'warning' };
    why = 'slack';
  }
  if (level.rank === 0) return { why, condition: null };
  const { reason, severity } = level as Level;
  const stale = at - m.grownAt >= rules.staleDays * DAY_MS;
  const cause = causeOf(m, used, level.rank, firing, rules);
  return {
    why: stale ? 'not_grown' : why,
    condition: {
      severity: stale ? 'info' : severity,
      reason,
      cause,
      confidence: cause === 'unknown' ? 0 : 1,
      evidence: evidenceOf(m, cause, at),
      predicted: null,
    },
  };
}

/** A limit that fell explains what the same use would not have been under the limit before, until it is raised again. */
function causeOf(m: Readonly<Merchant>, used: number, rank: number, firing: Condition | null, rules: QuotaRules): string {
  const before = m.judged.limit;
  if (before !== null && m.limit! < before && levelOf(used, before, rules).rank < rank) return 'limit_cut';
  const wasRaised = before !== null && m.limit! > before;
  return wasRaised && firing?.cause === 'limit_cut' ? 'unknown' : (firing?.cause ?? 'unknown');
}

function evidenceOf(m: Readonly<Merchant>, cause: string, at: number): Evidence[] {
  const limit = m.limit!;
  const evidence: Evidence[] = [{ what: 'bound', value: m.held, limit, at }];
  if (m.pending > 0) evidence.push({ what: 'pending', value: m.pending, at });
  if (cause === 'limit_cut') {
    if (m.judged.limit !== null && m.judged.limit !== limit) evidence.push({ what: 'limit_before', value: m.judged.limit, at });
    if (m.limitReason) evidence.push({ what: 'limit_reason', value: m.limitReason, at });
  }
  return evidence;
}
