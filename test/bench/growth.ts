/** What a report costs as the work grows: with more connections, and with more terminals in the registry. The same rate throughout. */
import { median, numbersIn, type Options, type Row, rounded } from './figures.ts';
import { withScene } from './scene.ts';
import { installTillwatch } from './tillwatch.ts';

const CONNECTIONS = '100,1000,10000,19000';
const REGISTERED = '10000,100000,1000000';
/** Of the rows about the registry. */
const REPORTING = 1_000;
const WINDOW = 10;
const WARM_UP_SECONDS = 15;
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
export async function benchGrowth(options: Options): Promise<Row[]> {
  const { connections = CONNECTIONS, registered = REGISTERED, rate = '4000', seconds = '20', rounds = '1' } = options;
  const series: Point[][] = [
    numbersIn(connections).map((n) => ({ connections: n, registered: n })),
    numbersIn(registered).map((n) => ({ connections: Math.min(REPORTING, n), registered: n })),
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

function measure(point: Point, rate: number, seconds: number): Promise<Cost> {
  const { connections, registered } = point;
  return withScene(async ({ folder, own, serve }) => {
    const { program, caughtUp, connect } = await installTillwatch({ folder, registered });
    const [broker, collector] = [await serve(program('broker')), await serve(program('collector'))];
    // Spread over the registry, so that who reports are no neighbours in it.
    const stride = Math.floor(registered / connections);
    const fleet = own(await connect({ connections, stride, window: WINDOW }));
    await fleet.play({ kind: 'run', seconds: WARM_UP_SECONDS, rate });
    await caughtUp();
    const before = [broker.cpu, collector.cpu] as const;
    const result = await fleet.play({ kind: 'run', seconds, rate });
    await caughtUp();
    const each = (cpu: number) => (cpu / result.acknowledged) * 1e6;
    return { ...point, broker: each(broker.cpu - before[0]), collector: each(collector.cpu - before[1]), rate: result.rate };
  });
}

function row(costs: readonly Cost[], firsts: readonly Cost[]): Row {
  const { connections, registered } = costs[0]!;
  const total = middle(costs, ({ broker, collector }) => broker + collector);
  const part = total / middle(firsts, ({ broker, collector }) => broker + collector);
  return {
    ...{ connections, registered, 'reports/s': Math.round(middle(costs, ({ rate }) => rate)) },
    ...{
      "broker's CPU-s/M": rounded(middle(costs, ({ broker }) => broker)),
      "collector's": rounded(middle(costs, ({ collector }) => collector)),
    },
    ...{
      both: rounded(total),
      'against the first': rounded(part, 2),
      aim: part <= 1 + FLAT_WITHIN ? 'met' : `missed: ${1 + FLAT_WITHIN}`,
    },
  };
}

function middle(costs: readonly Cost[], of: (cost: Cost) => number): number {
  return median(costs.map(of));
}
