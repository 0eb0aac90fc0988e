/** Holds what an installation left behind against what was promised, and tells the figures. */
import { writeSync } from 'node:fs';
import { expect } from 'vitest';
import type { Transition } from '../../protocol/alerts.ts';
import type { Influx } from '../helpers/influx.ts';
import type { Installation } from '../helpers/installation.ts';
import { type AskedMove, checkHistory, PROBLEMS, type Problem, type SentReport } from './history.ts';
import { duckDbContent, foldLogs, influxContent, leftState, loggedMoves, loggedReports, told } from './observe.ts';

export interface Played {
  scenario: string;
  seed: number;
  acquirer: string;
  installation: Installation;
  sent: readonly SentReport[];
  asked: readonly AskedMove[];
  connects: number;
  kills: number;
  /** Absent: the embedded store. */
  influx: Influx | undefined;
}

/** Stops the installation and judges it. The transitions are those of a fold over its logs from the start. */
export async function judge({ installation, acquirer, influx, sent, asked, ...played }: Played): Promise<Transition[]> {
  const { paths } = installation;
  const listed = (await installation.alerts()).map(({ id }) => id);
  const exits = await installation.stopAll();
  const left = await leftState(paths);
  const transitions = await foldLogs(paths, left.position);
  const ids = new Set(transitions.map(({ alert }) => alert.id));
  const stored = influx ? await influxContent(influx, acquirer, ids) : await duckDbContent(paths);
  const problems = checkHistory({
    sent,
    logged: await loggedReports(paths),
    stored: stored.reports,
    moves: await loggedMoves(paths),
    asked,
    announced: [...stored.transitions, ...left.pending],
    folded: transitions.map(told),
    listed,
  });
  tell({
    ...played,
    acknowledged: sent.filter(({ durableAtPuback }) => durableAtPuback !== null).length,
    stored: stored.reports.length,
    moves: asked.length,
    fired: transitions.filter(({ transition }) => transition === 'fired').length,
    transitions: transitions.length,
    pending: left.pending.length,
    ...countOf(problems),
  });
  expect(installation.failures).toEqual([]);
  expect(exits.filter((code) => code !== 0)).toEqual([]);
  expect(problems.slice(0, 20)).toEqual([]);
  return transitions;
}

function countOf(problems: readonly Problem[]): Record<string, number> {
  return Object.fromEntries(PROBLEMS.map((kind) => [kind, problems.filter((problem) => problem.kind === kind).length]));
}

/** One line a round, past the test runner's own output. */
function tell(figures: Record<string, unknown>): void {
  writeSync(2, `${JSON.stringify(figures)}\n`);
}
