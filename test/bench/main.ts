/** `npm run bench NAME [-- options]`: measurements, never tests. Figures go to stdout, as a table or with --json as JSON. */
import { parseArgs } from 'node:util';
import { benchFold } from './fold.ts';
import { benchIdle } from './idle.ts';
import { benchIngest } from './ingest.ts';
import { benchHistory, benchStore } from './store.ts';
import { benchWeek } from './week/week.ts';

const BENCHES: Record<
  string,
  { run(options: Record<string, string | undefined>): Promise<Record<string, string | number>[]>; help: string }
> = {
  ingest: {
    run: benchIngest,
    help: 'durable QoS 1 messages a second and CPU-seconds per million: by the front, through Aedes, without a log (--seconds, --rounds, --connections)',
  },
  idle: { run: benchIdle, help: 'memory of an idle connection' },
  store: { run: benchStore, help: 'CPU-seconds per million points of the writers to InfluxDB and DuckDB alone (--million, --rounds)' },
  fold: { run: benchFold, help: 'the fold alone: entries a CPU-second, memory a terminal, a mass outage (--terminals)' },
  week: {
    run: benchWeek,
    help: "a simulated fleet's week, held against its truth and beside a fixed timeout (--terminals, --days, --rate, --seeds 1,2, --verbose yes)",
  },
  history: { run: benchHistory, help: 'charts out of a DuckDB that a fleet was folded into (--terminals, --days, --interval seconds)' },
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean' },
    seconds: { type: 'string' },
    rounds: { type: 'string' },
    connections: { type: 'string' },
    million: { type: 'string' },
    terminals: { type: 'string' },
    days: { type: 'string' },
    interval: { type: 'string' },
    rate: { type: 'string' },
    seeds: { type: 'string' },
    verbose: { type: 'string' },
  },
});
const bench = BENCHES[positionals[0] ?? ''];
if (!bench) {
  console.error('usage: npm run bench NAME -- [--OPTION N …] [--json]\n');
  for (const [name, { help }] of Object.entries(BENCHES)) console.error(`  ${name}  ${help}`);
  process.exit(2);
}
const { json, ...options } = values;
const rows = await bench.run(options);
if (json) console.log(JSON.stringify(rows));
else console.table(rows);
