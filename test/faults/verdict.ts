/** Holds what an installation left behind against what was promised, and tells the figures. */
import { expect } from 'vitest';
import type { Transition } from '../../protocol/alerts.ts';
import { cli } from '../cli/harness.ts';
import type { Influx } from '../helpers/influx.ts';
import type { Installation } from '../helpers/installation.ts';
import { type AskedMove, checkHistory, type History, PROBLEMS, type Problem, type SentReport } from './history.ts';
import { duckDbContent, foldLogs, influxContent, leftState, loggedMoves, told } from './observe.ts';
import { type Figures, say } from './table.ts';

export interface Played {
  acquirer: string;
  installation: Installation;
  sent: readonly SentReport[];
  asked: readonly AskedMove[];
  /** Absent: the embedded store. */
  influx: Influx | undefined;
}

/** What is known of a round beside its history, for its figures. */
export type Known = Pick<Figures, 'scenario' | 'seed' | 'faults' | 'rate'> & { connects: number };

export interface Evidence {
  history: History;
  /** Of a fold over its logs from the start. */
  transitions: Transition[];
  /** Of the transitions those that were saved and not in the store yet. */
  pending: number;
}

/** Stops the installation, judges it, and adds its figures to `rounds`. The transitions are those of a fold over its logs from the start. */
export async function judge(played: Played, { connects, ...known }: Known, rounds: Figures[] = []): Promise<Transition[]> {
  const { installation } = played;
  const listed = (await installation.alerts()).map(({ id }) => id);
  const exits = await installation.stopAll();
  const { history, transitions, pending } = await evidenceOf(played, listed);
  const problems = checkHistory(history);
  const figures = {
    ...known,
    offered: history.sent.length,
    acknowledged: history.sent.filter(({ durableAtPuback }) => durableAtPuback !== null).length,
    stored: history.stored.length,
    problems: countOf(problems),
  };
  const fired = transitions.filter(({ transition }) => transition === 'fired').length;
  say(JSON.stringify({ ...figures, connects, moves: history.asked.length, fired, transitions: transitions.length, pending }));
  rounds.push(figures);
  expect(installation.failures).toEqual([]);
  expect(exits.filter((code) => code !== 0)).toEqual([]);
  expect(problems.slice(0, 20)).toEqual([]);
  const { code, out } = await cli(['log', 'verify'], { env: { TILLWATCH_DATA_DIR: installation.paths.root } });
  expect({ code, out }).toMatchObject({ code: 0 });
  return transitions;
}

/** Reads everything that an installation left behind. `listedBefore`: the ids of the alerts that its API listed. */
export async function evidenceOf(
  { installation, acquirer, influx, sent, asked }: Played,
  listedBefore: readonly string[],
): Promise<Evidence> {
  const { paths } = installation;
  const left = await leftState(paths);
  const { transitions, reports } = await foldLogs(paths, left.position);
  const ids = new Set(transitions.map(({ alert }) => alert.id));
  const users = new Set(sent.map(({ user }) => user));
  const stored = influx ? await influxContent(influx, acquirer, users, ids) : await duckDbContent(paths);
  const pending = left.pending.filter(({ sequence }) => sequence > stored.outbox);
  // What was said after the list was asked for, such as of our own parts, cannot be in it.
  const late = pending.filter(({ id, transition }) => transition === 'fired' && !listedBefore.includes(id)).map(({ id }) => id);
  const listed = [...listedBefore, ...late];
  const history: History = {
    sent,
    logged: reports,
    stored: stored.reports,
    moves: await loggedMoves(paths),
    asked,
    announced: [...stored.transitions, ...pending],
    folded: transitions.map(told),
    listed,
  };
  return { history, transitions, pending: pending.length };
}

function countOf(problems: readonly Problem[]): Figures['problems'] {
  const count = (kind: Problem['kind']) => problems.filter((problem) => problem.kind === kind).length;
  return Object.fromEntries(PROBLEMS.map((kind) => [kind, count(kind)])) as Figures['problems'];
}
