/** Runs every query of dashboards against InfluxDB, as Grafana would when somebody opens them. */
import { type Dashboard, nameOf, type Panel } from './dashboard.ts';
import { type Chosen, fillSurroundings, fillVariables, timeOf, windowSeconds } from './fill.ts';
import type { Ask } from './influx.ts';
import { type Judgement, judge, type Outcome } from './judge.ts';

/** What came of one query: of a panel, or of a variable. */
export interface Finding extends Judgement {
  dashboard: string;
  panel?: string;
  variable?: string;
}

interface Setting {
  ask: Ask;
  bucket: string;
  org: string;
  /** Epoch milliseconds. */
  now: number;
  /** Values of variables by name, in place of the first that InfluxDB names. */
  pinned: Readonly<Record<string, string>>;
}

/** A dashboard that offers "all" is run once with all, once with one. */
export async function runDashboard(dashboard: Dashboard, setting: Setting): Promise<Finding[]> {
  const passes = dashboard.templating.list.some(({ includeAll }) => includeAll) ? [true, false] : [false];
  const findings: Finding[] = [];
  for (const all of passes) findings.push(...(await runOnce(dashboard, setting, all)));
  return mergeFindings(findings);
}

async function runOnce(dashboard: Dashboard, setting: Setting, all: boolean): Promise<Finding[]> {
  const { uid, templating, panels } = dashboard;
  const chosen = new Map<string, Chosen>();
  const findings: Finding[] = [];
  for (const { name, query, includeAll, allValue = '.*' } of templating.list) {
    const { values, judgement } = await optionsOf(fillVariables(query, chosen), dashboard, setting);
    findings.push({ dashboard: uid, variable: name, ...judgement });
    chosen.set(name, all && includeAll ? { all: allValue } : { value: setting.pinned[name] ?? values[0] ?? '' });
  }
  for (const panel of panels)
    findings.push({ dashboard: uid, panel: nameOf(panel), ...(await runPanel(panel, dashboard, chosen, setting)) });
  return findings;
}

async function optionsOf(query: string, dashboard: Dashboard, setting: Setting): Promise<{ values: string[]; judgement: Judgement }> {
  try {
    const { values, tables } = await setting.ask(filled(query, dashboard, setting));
    const rows = tables.reduce((sum, table) => sum + table.rows, 0);
    if (rows === 0) return { values, judgement: { outcome: 'empty', detail: 'no values' } };
    if (values.length === 0) return { values, judgement: { outcome: 'wrong', detail: 'the answer has no text' } };
    return { values, judgement: { outcome: 'ok', detail: `${values.length} values` } };
  } catch (error) {
    return { values: [], judgement: refused(error) };
  }
}

async function runPanel(panel: Panel, dashboard: Dashboard, chosen: ReadonlyMap<string, Chosen>, setting: Setting): Promise<Judgement> {
  const judgements: Judgement[] = [];
  for (const { query = '' } of panel.targets ?? []) {
    try {
      const { tables } = await setting.ask(filled(fillVariables(query, chosen), dashboard, setting, panel.interval));
      judgements.push(judge(panel, query, tables));
    } catch (error) {
      judgements.push(refused(error));
    }
  }
  const [first = { outcome: 'empty' as const, detail: 'it has no query' }, ...others] = judgements;
  return others.reduce(worse, first);
}

function filled(query: string, { time }: Dashboard, { now, bucket, org }: Setting, least?: string): string {
  const from = timeOf(time.from, now) ?? now - 86_400_000;
  const to = timeOf(time.to, now) ?? now;
  return fillSurroundings(query, { from, to, windowSeconds: windowSeconds(from, to, least), bucket, org });
}

function refused(error: unknown): Judgement {
  return { outcome: 'wrong', detail: `InfluxDB says: ${(error as Error).message}` };
}

/** Rows in one of several runs are rows; what is wrong in one is wrong. */
const WEIGHT: Readonly<Record<Outcome, number>> = { empty: 0, partly: 1, ok: 2, wrong: 3 };

function worse<T extends Judgement>(one: T, other: T): T {
  return WEIGHT[other.outcome] > WEIGHT[one.outcome] ? other : one;
}

function mergeFindings(findings: readonly Finding[]): Finding[] {
  const merged = new Map<string, Finding>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.panel, finding.variable]);
    const known = merged.get(key);
    merged.set(key, known ? worse(known, finding) : finding);
  }
  return [...merged.values()];
}
