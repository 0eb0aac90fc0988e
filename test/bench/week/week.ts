/**
 * A fleet's week: `tillwatch simulate --entries` piped into `tillwatch alerts replay -`, as a user would, and what was said held against
 * what is true; beside it a fixed timeout for each terminal over the same lines.
 */
import { spawn } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Transition } from '../../../protocol/alerts.ts';
import type { Incident } from '../../../simulator/actions.ts';
import { numbersIn, type Options, type Row } from '../figures.ts';
import { Baseline } from './baseline.ts';
import { explains, type Score, score } from './score.ts';

const CLI = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const DAY_MS = 86_400_000;

export interface Week {
  seed: number;
  terminals: number;
  days: number;
  /** Incidents in 1000 terminal-days. */
  rate: number;
}

export interface Measured {
  ours: Score;
  baseline: Score;
}

export async function benchWeek(options: Options): Promise<Row[]> {
  const { terminals = '10000', days = '7', rate = '3', seeds = '1' } = options;
  const rows: Row[] = [];
  for (const seed of numbersIn(seeds)) {
    const week = { seed, terminals: Number(terminals), days: Number(days), rate: Number(rate) };
    const measured = await measure(week);
    rows.push(row('tillwatch', week, measured.ours), row('fixed timeout', week, measured.baseline));
    if (options.verbose !== undefined) explainMisses(measured.ours);
  }
  return rows;
}

export async function measure(week: Week): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'week-'));
  try {
    const truthFile = join(folder, 'truth.jsonl');
    const { seed, terminals, days, rate } = week;
    const told = ['simulate', '--entries', '--seed', seed, '--terminals', terminals, '--days', days, '--rate', rate, '--truth', truthFile];
    const simulate = spawn(process.execPath, [CLI, ...told.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const replay = spawn(process.execPath, [CLI, 'alerts', 'replay', '-', '--json'], { stdio: ['pipe', 'pipe', 'inherit'] });
    simulate.stdout.pipe(replay.stdin);
    const baseline = new Baseline();
    let startAt = Number.NaN;
    const heard = (async () => {
      for await (const line of createInterface({ input: simulate.stdout })) {
        if (Number.isNaN(startAt)) startAt = JSON.parse(line).at;
        baseline.line(line);
      }
    })();
    const said: Transition[] = [];
    for await (const line of createInterface({ input: replay.stdout })) said.push(JSON.parse(line));
    await heard;
    const truth: Incident[] = [];
    for await (const line of createInterface({ input: createReadStream(truthFile) })) truth.push(JSON.parse(line));
    const endAt = startAt + days * DAY_MS;
    baseline.finish(endAt);
    // It knows of silent terminals alone, and is right about a silence whenever it says so.
    const ofBaseline = score(truth, baseline.said, endAt, ['terminal.offline', 'outage'], (one, incident) => explains(incident, one));
    return { ours: score(truth, said, endAt), baseline: ofBaseline };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function row(what: string, { seed, terminals, days }: Week, s: Score): Row {
  return {
    what,
    seed,
    incidents: s.incidents,
    recall: percent(s.found, s.incidents),
    'cause right': percent(s.causesRight, s.causesKnown),
    'unknown kept': percent(s.unknownKept, s.unknowns),
    'false alarms per 1000 terminal-days': (s.falseAlarms.length / ((terminals * days) / 1000)).toFixed(2),
    'alerts per incident': (s.alerts / s.incidents).toFixed(2),
  };
}

function percent(n: number, of: number): string {
  return of === 0 ? '-' : `${((100 * n) / of).toFixed(1)} % of ${of}`;
}

function explainMisses({ missed, wrongCauses, falseAlarms }: Score): void {
  for (const incident of missed) console.error('missed', JSON.stringify({ ...incident, members: incident.members.slice(0, 5) }));
  for (const { incident, cause } of wrongCauses) console.error('wrong cause', cause, JSON.stringify({ ...incident, members: undefined }));
  for (const { at, alert } of falseAlarms) {
    const { type, reason, cause, subject, evidence, count } = alert;
    console.error(
      'false alarm',
      new Date(at).toISOString(),
      type,
      reason,
      cause,
      count,
      JSON.stringify(only(subject)),
      JSON.stringify(evidence),
    );
  }
}

function only(subject: object): object {
  return Object.fromEntries(Object.entries(subject).filter(([, value]) => value !== null));
}
