/**
 * From terminals into InfluxDB with the watches on: a rate is raised step by step until points fall behind, then the highest one that
 * held is held for longer; where that fails, the one below it.
 */
import { benchServers } from './bench-servers.ts';
import { type Options, type Row, rounded } from './figures.ts';
import type { Fleet } from './fleet.ts';
import { startInfluxd } from './influxd.ts';
import type { Server } from './process.ts';
import { withScene } from './scene.ts';
import { type Installation, installTillwatch } from './tillwatch.ts';

const WINDOW = 10;
const WARM_UP = { seconds: 10, rate: 3_000 };
const LAG_EVERY_MS = 1_000;
/** By how much the lag of the last quarter may be above that of the first, seconds; and the part of a rate that must be reached. */
const GROWN_SECONDS = 2;
const REACHED = 0.98;

interface Stage {
  installation: Installation;
  fleet: Fleet;
  product: readonly Server[];
  influxd: Server;
}

/**
 * Rows: a rate, whether it held, how far points were behind the watch (s), CPU-seconds per million of broker and collector, and of
 * InfluxDB. Options: terminals; from, step and to, reports a second; seconds a step; hold, seconds of the last.
 */
export function benchEndToEnd(options: Options): Promise<Row[]> {
  const terminals = Number(options.terminals ?? 1_000);
  return withScene(async ({ folder, own, serve }) => {
    const influx = await startInfluxd(benchServers().influxd, folder);
    own(influx.server);
    const installation = await installTillwatch({ folder, registered: terminals, influx: influx.access });
    const product = [await serve(installation.program('broker')), await serve(installation.program('collector'))];
    const fleet = own(await installation.connect({ connections: terminals, window: WINDOW }));
    await fleet.play({ kind: 'run', ...WARM_UP });
    return climb({ installation, fleet, product, influxd: influx.server }, options);
  });
}

async function climb(stage: Stage, options: Options): Promise<Row[]> {
  const [from, step, to] = [Number(options.from ?? 5_000), Number(options.step ?? 2_500), Number(options.to ?? 40_000)];
  const rows: Row[] = [];
  const holds = async (rate: number, seconds: number) => {
    const row = await offer(stage, rate, seconds);
    console.error(JSON.stringify(row));
    rows.push(row);
    return row.held === 'yes';
  };
  let highest = from;
  for (let rate = from; rate <= to && (await holds(rate, Number(options.seconds ?? 20))); rate += step) highest = rate;
  while (highest > 0 && !(await holds(highest, Number(options.hold ?? 300)))) highest -= step;
  return rows;
}

/** Offers a rate for so long, after the points of what came before are written. */
async function offer({ installation, fleet, product, influxd }: Stage, rate: number, seconds: number): Promise<Row> {
  const lag = () => installation.metric('tillwatch_feed_lag_seconds');
  await installation.caughtUp();
  const cpu = () => ({ product: product.reduce((sum, server) => sum + server.cpu, 0), influxd: influxd.cpu });
  const before = cpu();
  const lags: number[] = [];
  const timer = setInterval(() => void lag().then((value) => lags.push(value)), LAG_EVERY_MS);
  const result = await fleet.play({ kind: 'run', seconds, rate });
  clearInterval(timer);
  const quarter = Math.ceil(lags.length / 4);
  const [first, last] = [mean(lags.slice(0, quarter)), mean(lags.slice(-quarter))];
  await installation.caughtUp();
  const after = cpu();
  const each = (spent: number) => rounded((spent / result.acknowledged) * 1e6);
  const held = result.rate >= REACHED * rate && last <= first + GROWN_SECONDS;
  return {
    ...{ 'offered/s': rate, seconds, 'acked/s': Math.round(result.rate), 'p99 ms': result.p99, held: held ? 'yes' : 'no' },
    ...{ 'lag s, first quarter': rounded(first), 'last quarter': rounded(last) },
    ...{ 'CPU-s/M': each(after.product - before.product), 'influxd CPU-s/M': each(after.influxd - before.influxd) },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
