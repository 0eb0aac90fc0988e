/** `npm run bench NAME [-- options]`: measurements, never tests. Figures go to stdout, as a table or with --json as JSON. */
import { parseArgs } from 'node:util';
import { benchEndToEnd } from './end-to-end.ts';
import type { Options, Row } from './figures.ts';
import { benchFold } from './fold.ts';
import { benchGrowth } from './growth.ts';
import { benchIngest } from './ingest.ts';
import { benchMemory } from './memory.ts';
import { benchPeer } from './peer.ts';
import { benchHistory, benchStore } from './store.ts';
import { benchStorm } from './storm.ts';
import { benchWeek } from './week/week.ts';

interface Bench {
  run(options: Options): Promise<Row[]>;
  help: string;
}

const BENCHES: Record<string, Bench> = {
  ingest: {
    run: benchIngest,
    help: 'durable QoS 1 messages a second and CPU-seconds per million: by the front, through Aedes, without a log (--seconds, --rounds, --connections)',
  },
  'end-to-end': {
    run: benchEndToEnd,
    help: 'the highest rate into InfluxDB without growing lag (--terminals, --from, --step, --to, --seconds of a step, --hold seconds)',
  },
  peer: {
    run: benchPeer,
    help: 'side by side with Mosquitto + Telegraf + InfluxDB (--groups flat,paced,steps,fault,crash,backlog,both,limits, --rounds, --sides, --seconds, --parser fields|all, --profiles FOLDER)',
  },
  memory: {
    run: benchMemory,
    help: 'memory of idle connections, and of the whole with a fleet (--connections, --tls, --terminals; 0 for none)',
  },
  storm: { run: benchStorm, help: 'all terminals at once after a restart (--connections, --tls: how many of each, --rounds)' },
  growth: {
    run: benchGrowth,
    help: 'CPU of a report by connections and registered terminals (--connections, --registered, --rate, --seconds, --rounds)',
  },
  store: { run: benchStore, help: 'CPU-seconds per million points of the writers to InfluxDB and DuckDB alone (--million, --rounds)' },
  fold: { run: benchFold, help: 'the fold alone: entries a CPU-second, memory a terminal, a mass outage (--terminals)' },
  week: {
    run: benchWeek,
    help: "a simulated fleet's week, held against its truth and beside a fixed timeout (--terminals, --days, --rate, --seeds 1,2, --verbose yes)",
  },
  history: { run: benchHistory, help: 'charts out of a DuckDB that a fleet was folded into (--terminals, --days, --interval seconds)' },
};
const NUMBERS = [
  'seconds',
  'rounds',
  'connections',
  'million',
  'terminals',
  'days',
  'interval',
  'from',
  'step',
  'to',
  'hold',
  'rate',
  'tls',
  'registered',
];
const TEXTS = ['groups', 'sides', 'profiles', 'parser', 'seeds', 'verbose'];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, ...Object.fromEntries([...NUMBERS, ...TEXTS].map((name) => [name, { type: 'string' }])) },
});
const bench = BENCHES[positionals[0] ?? ''];
if (!bench) {
  console.error('usage: npm run bench NAME -- [--OPTION N …] [--json]\n');
  for (const [name, { help }] of Object.entries(BENCHES)) console.error(`  ${name}  ${help}`);
  process.exit(2);
}
// What is measured does not outlive the measurement: its processes end with this one's exit.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const { json, ...options } = values;
const rows = await bench.run(options);
if (json) console.log(JSON.stringify(rows));
else console.table(rows);
