/** What a warning of weakening coverage stands on. */
import type { Evidence, Prediction, Reason } from '../../protocol/alerts.ts';
import type { AgentWarning, Coverage } from '../fleet/coverage.ts';
import { edgesOf, QUANTITIES } from '../fleet/readings.ts';
import { pointsOf } from '../fleet/recent.ts';
import { reportsOfTrend } from './coverage-signs.ts';
import type { CoverageRules } from './defaults.ts';
import { lineThrough, predictionOf } from './trend.ts';

const MINUTE_MS = 60_000;
/** How far ahead the latest moment of a prediction may lie, in times of the rule's own horizon. */
const HORIZONS = 4;

/** The newest reading with the edges of its bands, and what the reason adds to it; an agent has seen more than its reports say. */
export function evidenceOf(c: Readonly<Coverage>, reason: Reason<'coverage.weakening'>): Evidence[] {
  const { agent, day, signs, at } = c;
  if (reason === 'agent' && agent?.warning) return agentEvidence(agent.warning, agent.at);
  const evidence = readingEvidence(c);
  if (reason === 'step' && day) evidence.push({ what: 'median_of_the_day', value: day.median, at });
  if (reason === 'reconnects' && signs.reconnects) evidence.push({ what: 'reconnects', value: sumOf(signs.reconnects), at });
  return evidence;
}

function readingEvidence({ reading, cell, cellSince, at }: Readonly<Coverage>): Evidence[] {
  if (!reading) return [];
  const evidence: Evidence[] = [{ what: 'rat', value: reading.rat, at }];
  for (const quantity of QUANTITIES) {
    const edges = edgesOf(reading.rat, quantity);
    if (reading[quantity] === null || !edges) continue;
    evidence.push({ what: edges.metric, value: reading[quantity], limit: edges.fairFrom, at });
  }
  if (cell !== null) evidence.push({ what: 'cell', value: cell, at: cellSince ?? at });
  return evidence;
}

function agentEvidence({ risk, rsrp, rsrq, sinr, cell }: AgentWarning, at: number): Evidence[] {
  return Object.entries({ risk, rsrp, rsrq, sinr, cell }).flatMap(([what, value]) => (value === undefined ? [] : [{ what, value, at }]));
}

/** When a falling level will be critical; null for what is no forecast. */
export function predictedFor(c: Readonly<Coverage>, reason: Reason<'coverage.weakening'>, rules: CoverageRules): Prediction | null {
  const edges = c.reading && edgesOf(c.reading.rat, 'level');
  const points = reason === 'trend' ? pointsOf(c.signs.recent) : [];
  if (!edges || points.length < 2 * reportsOfTrend(rules)) return null;
  return predictionOf(lineThrough(points), c.at, edges.criticalBelow, HORIZONS * rules.trendMinutes * MINUTE_MS);
}

function sumOf(pairs: readonly number[]): number {
  return pairs.reduce((sum, n, i) => (i % 2 === 1 ? sum + n : sum), 0);
}
