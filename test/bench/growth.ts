/** What a report costs as the work grows: with more connections, and with more terminals in the registry. The same rate throughout. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectFleet, type Fleet } from './fleet.ts';
import { Server } from './process.ts';
import { installTillwatch, within } from './tillwatch.ts';

type Row = Record<string, string | number>;

const CONNECTIONS = '100,1000,10000,19000';
const REGISTERED = '10000,100000,1000000';
/** Of the rows about the registry. */
const REPORTING = 1_000;
const WINDOW = 10;
const WARM_UP_SECONDS = 15;
const STORED_MS = 60_000;
const FLAT_WITHIN = 0.15;

interface Point {
  connections: number;
  registered: number;
}

interface Cost extends Point {
  broker: number;
  collector: number;
  rate: number;
}

/** Rows: CPU-seconds per million reports of broker and collector (embedded store), medians, and against the first of its kind. */
export async function benchGrowth(options: Record<string, string | undefined>): Promise<Row[]> {
  const { connections = CONNECTIONS, registered = REGISTERED, rate = '4000', seconds = '20', rounds = '1' } = options;
  const numbers = (list: string) => list.split(',').filter(Boolean).map(Number);
  const series: Point[][] = [
    numbers(connections).map((n) => ({ connections: n, registered: n })),
    numbers(registered).map((n) => ({ connections: Math.min(REPORTING, n), registered: n })),
  ];
  const costs = new Map<Point, Cost[]>();
  for (let round = 0; round < Number(rounds); round++) {
    for (const point of series.flat()) {
      const cost = await measure(point, Number(rate), Number(seconds));
      console.error(JSON.stringify(cost));
      costs.set(point, [...(costs.get(point) ?? []), cost]);
    }
  }
  return series.flatMap((points) => points.map((point) => row(costs.get(point)!, costs.get(points[0]!)!)));
}

async function measure(point: Point, rate: number, seconds: number): Promise<Cost> {
  const { connections, registered } = point;
  const folder = await mkdtemp(join(tmpdir(), 'tillwatch-bench-'));
  const { program, mqttPort, paths, metric } = await installTillwatch({ folder, registered });
  const [broker, collector] = [new Server(program('broker'), folder), new Server(program('collector'), folder)];
  let fleet: Fleet | undefined;
  try {
    for (const server of [broker, collector]) await server.start();
    // Spread over the registry, so that who reports are no neighbours in it.
    const stride = Math.floor(registered / connections);
    fleet = await connectFleet({ port: mqttPort, keysFile: paths.keys, connections, stride, window: WINDOW, births: true });
    const caughtUp = () => within(STORED_MS, 200, async () => (await metric('tillwatch_feed_lag_seconds')) < 3);
    await fleet.play({ kind: 'run', seconds: WARM_UP_SECONDS, rate });
    await caughtUp();
    const before = [broker.cpu, collector.cpu] as const;
    const result = await fleet.play({ kind: 'run', seconds, rate });
    await caughtUp();
    const each = (cpu: number) => (cpu / result.acknowledged) * 1e6;
    return { ...point, broker: each(broker.cpu - before[0]), collector: each(collector.cpu - before[1]), rate: result.rate };
  } finally {
    await fleet?.stop();
    for (const server of [collector, broker]) await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function row(costs: readonly Cost[], firsts: readonly Cost[]): Row {
  const { connections, registered } = costs[0]!;
  const total = middle(costs, ({ broker, collector }) => broker + collector);
  const part = total / middle(firsts, ({ broker, collector }) => broker + collector);
  return {
    ...{ connections, registered, 'reports/s': Math.round(middle(costs, ({ rate }) => rate)) },
    ...{
      "broker's CPU-s/M": round(middle(costs, ({ broker }) => broker)),
      "collector's": round(middle(costs, ({ collector }) => collector)),
    },
    ...{
      both: round(total),
      'against the first': Number(part.toFixed(2)),
      aim: part <= 1 + FLAT_WITHIN ? 'met' : `missed: ${1 + FLAT_WITHIN}`,
    },
  };
}

function middle(costs: readonly Cost[], of: (cost: Cost) => number): number {
  const sorted = costs.map(of).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function round(value: number): number {
  return Number(value.toFixed(1));
}
