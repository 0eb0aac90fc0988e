/** `npm run bench NAME [-- options]`: measurements, never tests. Figures go to stdout, as a table or with --json as JSON. */
import { parseArgs } from 'node:util';
import { benchIdle } from './idle.ts';
import { benchIngest } from './ingest.ts';

const BENCHES: Record<
  string,
  { run(options: Record<string, string | undefined>): Promise<Record<string, string | number>[]>; help: string }
> = {
  ingest: {
    run: benchIngest,
    help: 'durable QoS 1 messages a second and CPU-seconds per million: by the front, through Aedes, without a log',
  },
  idle: { run: benchIdle, help: 'memory of an idle connection' },
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, seconds: { type: 'string' }, rounds: { type: 'string' }, connections: { type: 'string' } },
});
const bench = BENCHES[positionals[0] ?? ''];
if (!bench) {
  console.error('usage: npm run bench NAME -- [--seconds N] [--rounds N] [--connections N,…] [--json]\n');
  for (const [name, { help }] of Object.entries(BENCHES)) console.error(`  ${name}  ${help}`);
  process.exit(2);
}
const { json, ...options } = values;
const rows = await bench.run(options);
if (json) console.log(JSON.stringify(rows));
else console.table(rows);
