/** Runs of the same scenario on each side -> rows of a table: what each cost, ours in parts of the peer's, and which aims are missed. */
import { median, type Row } from '../figures.ts';
import type { Run } from './run.ts';
import type { Scenario } from './scenarios.ts';
import type { SideName } from './sides.ts';

/** Ours against the peer's: the value that is compared, and what it should be at most (or at least). */
interface Aim {
  name: string;
  of(run: Run): number;
  peer(run: Run): number;
  limit: { most: number } | { least: number };
  concerns(scenario: Scenario, side: SideName): boolean;
}

const isPlain = ({ faults }: Scenario) => faults.length === 0;
const isOutage = ({ faults }: Scenario) => faults.length === 1 && faults[0]!.role === 'store';

const AIMS: readonly Aim[] = [
  {
    ...{ name: 'CPU', of: (run) => run.cpu, peer: (run) => run.cpu, limit: { most: 0.5 } },
    concerns: (scenario, side) => isPlain(scenario) && side === 'tillwatch',
  },
  {
    ...{ name: 'CPU of all', of: (run) => run.cpu, peer: (run) => run.cpu + run.storeCpu, limit: { most: 0.35 } },
    concerns: (scenario, side) => isPlain(scenario) && side === 'embedded',
  },
  {
    ...{ name: 'InfluxDB CPU', of: (run) => run.storeCpu, peer: (run) => run.storeCpu, limit: { most: 0.8 } },
    concerns: (scenario, side) => isPlain(scenario) && side === 'tillwatch',
  },
  {
    ...{ name: 'p99', of: (run) => run.p99, peer: (run) => run.p99, limit: { most: 2 } },
    concerns: (scenario, side) => isPlain(scenario) && side === 'tillwatch',
  },
  {
    ...{ name: 'end to end', of: (run) => run.endToEnd, peer: (run) => run.endToEnd, limit: { least: 1.5 } },
    concerns: (scenario, side) => scenario.rate === 0 && side === 'tillwatch',
  },
  {
    ...{ name: 'grown', of: (run) => run.grownMb, peer: (run) => run.grownMb, limit: { most: 0.25 } },
    concerns: (scenario, side) => isOutage(scenario) && side === 'tillwatch',
  },
];

/** `runs`: those of one scenario. */
export function compare(scenario: Scenario, runs: readonly Run[]): Row[] {
  const sides = [...new Set(runs.map(({ side }) => side))];
  const of = (side: SideName) => runs.filter((run) => run.side === side);
  return sides.map((side) => ({ ...measured(scenario, side, of(side)), ...judged(scenario, side, of(side), of('peer')) }));
}

function measured({ name }: Scenario, side: SideName, runs: readonly Run[]): Row {
  const show = (value: (run: Run) => number | null, digits = 0) => spread(runs.map(value), digits);
  return {
    ...{ scenario: name, side, runs: runs.length, 'acked/s': show((run) => run.rate), missing: show((run) => run.missing) },
    ...{ 'p50 ms': show((run) => run.p50, 1), 'p99 ms': show((run) => run.p99, 1) },
    ...{
      'CPU-s/M': show((run) => run.cpu, 1),
      "broker's": show((run) => run.brokerCpu, 1),
      'influxd CPU-s/M': show((run) => run.storeCpu, 1),
    },
    ...{ 'stored after s': show((run) => run.visibleAfter, 1), 'end to end/s': show((run) => run.endToEnd) },
    ...{ 'peak MB': show((run) => run.peakMb), 'grown MB': show((run) => run.grownMb) },
  };
}

/** Parts of the peer's, by the medians. */
function judged(scenario: Scenario, side: SideName, ours: readonly Run[], theirs: readonly Run[]): Row {
  if (side === 'peer') return {};
  const lost = ours.some(({ missing, visibleAfter }) => missing > 0 || visibleAfter === null);
  const missed = lost ? ['loss'] : [];
  const parts: Row = {};
  for (const { name, of, peer, limit, concerns } of AIMS) {
    if (theirs.length === 0 || !concerns(scenario, side)) continue;
    const part = median(ours.map(of)) / median(theirs.map(peer));
    const isMet = 'most' in limit ? part <= limit.most : part >= limit.least;
    parts[`${name} x`] = Number.isFinite(part) ? Number(part.toFixed(2)) : '-';
    if (!isMet && Number.isFinite(part)) missed.push(`${name} ${'most' in limit ? `> ${limit.most}` : `< ${limit.least}`}`);
  }
  return { ...parts, missed: missed.join(', ') || 'none' };
}

function spread(values: readonly (number | null)[], digits: number): string {
  const known = values.filter((value) => value !== null);
  if (known.length < values.length) return 'never';
  const [least, most] = [Math.min(...known).toFixed(digits), Math.max(...known).toFixed(digits)];
  return least === most ? least : `${least}..${most}`;
}
