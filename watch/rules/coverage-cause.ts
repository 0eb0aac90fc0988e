/** Why a signal weakens, from how it does; the confidences are our own estimate of how often each is right. */
import type { Reason } from '../../protocol/alerts.ts';
import { bitOf, type Coverage, type QuantitySet } from '../fleet/coverage.ts';
import { edgesOf } from '../fleet/readings.ts';

/** A move and a new cell belong together, and to what is seen now, within this. */
const RECENT_MS = 2 * 3_600_000;
const AGENT_CAUSES = ['weak_signal', 'interference', 'falling', 'obstructed', 'relocated'];

export interface Cause {
  cause: string;
  /** 0–1. */
  confidence: number;
}

const UNKNOWN: Cause = { cause: 'unknown', confidence: 0 };

/** `weak`: the quantities that are told as weak. */
export function causeOf(c: Readonly<Coverage>, reason: Reason<'coverage.weakening'>, weak: QuantitySet): Cause {
  if (reason === 'agent') return agentCause(c);
  if (reason === 'reconnects') return weak ? lowered(weakCause(c, weak)) : UNKNOWN;
  const isNewCell = isRecent(c, c.cellSince);
  if (isNewCell && isRecent(c, c.movedAt)) return { cause: 'relocated', confidence: 0.8 };
  if (reason === 'trend') return { cause: 'falling', confidence: 0.8 };
  // On another cell the level may be lower for other reasons than what stands before the antenna.
  if (reason === 'step') return { cause: 'obstructed', confidence: isNewCell ? 0.5 : 0.8 };
  return weakCause(c, weak);
}

/** Weak power explains poor quality; poor quality at good power is somebody else's power. */
function weakCause({ reading }: Readonly<Coverage>, weak: QuantitySet): Cause {
  if (weak & bitOf('level')) return { cause: 'weak_signal', confidence: 0.9 };
  const edges = reading && edgesOf(reading.rat, 'level');
  if (!reading || reading.level === null || !edges) return UNKNOWN;
  if (reading.level >= edges.goodFrom) return { cause: 'interference', confidence: 0.9 };
  return reading.level >= edges.fairFrom ? { cause: 'interference', confidence: 0.7 } : { cause: 'weak_signal', confidence: 0.7 };
}

function agentCause({ agent }: Readonly<Coverage>): Cause {
  const cause = agent?.warning?.cause;
  return cause !== undefined && AGENT_CAUSES.includes(cause) ? { cause, confidence: 0.8 } : UNKNOWN;
}

function isRecent({ at }: Readonly<Coverage>, when: number | null): boolean {
  return when !== null && at - when <= RECENT_MS;
}

function lowered({ cause, confidence }: Cause): Cause {
  return { cause, confidence: confidence / 2 };
}
