/** `npm run bench NAME [-- options]`: measurements, never tests. Figures go to stdout, as a table or with --json as JSON. */
import { parseArgs } from 'node:util';
import { benchIdle } from './idle.ts';
import { benchIngest } from './ingest.ts';
import { benchPeer } from './peer.ts';
import { benchHistory, benchStore } from './store.ts';

const BENCHES: Record<
  string,
  { run(options: Record<string, string | undefined>): Promise<Record<string, string | number>[]>; help: string }
> = {
  ingest: {
    run: benchIngest,
    help: 'durable QoS 1 messages a second and CPU-seconds per million: by the front, through Aedes, without a log (--seconds, --rounds, --connections)',
  },
  peer: {
    run: benchPeer,
    help: 'side by side with Mosquitto + Telegraf + InfluxDB (--groups flat,paced,steps,fault,crash,backlog,both,limits, --rounds, --sides)',
  },
  idle: { run: benchIdle, help: 'memory of an idle connection' },
  store: { run: benchStore, help: 'CPU-seconds per million points of the writers to InfluxDB and DuckDB alone (--million, --rounds)' },
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
    groups: { type: 'string' },
    sides: { type: 'string' },
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
