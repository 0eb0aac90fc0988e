/**
 * Writes points of 500 terminals in batches of 5000, as the feed does, and nothing else: no log, no fold. Into InfluxDB's protocol, to
 * whatever listens at a URL, or into a DuckDB file. Prints the CPU time of all, and that of making the samples alone.
 */
import { draftSample, type TaggedSample } from '../../collector/feed/tagger.ts';
import { Draft } from '../../collector/store/draft.ts';
import { openDuckDbStore } from '../../collector/store/duckdb.ts';
import { openInfluxStore } from '../../collector/store/influx.ts';
import { benchSample } from './store-sample.ts';

const [target, million] = process.argv.slice(2) as [string, string];
const kept = { rawDays: 0, rollupDays: 0 };
const say = (line: string) => console.error(line);
const store = target.startsWith('http')
  ? openInfluxStore({ url: target, token: 'bench', org: 'bench', bucket: 'bench', kept, say })
  : await openDuckDbStore(target, kept);

const BATCH = 5_000;
const WARM_UP = 60;
const tags = Array.from({ length: 500 }, (_, n) => ({
  acquirer: 'acme',
  sn: `BENCH${String(n).padStart(6, '0')}`,
  merchant: `m-${n % 50}`,
  site: `s-${n % 100}`,
  model: 'A920',
  app: '3.4.1',
}));
const draft = new Draft();
let seq = 0;

async function writeBatch(): Promise<void> {
  const batch = store.batch();
  for (let i = 0; i < BATCH; i++) {
    seq++;
    const tagged: TaggedSample = { sample: benchSample(seq), seq, skewMs: 0, tags: tags[seq % tags.length]! };
    batch.add(draftSample(tagged, draft));
  }
  await batch.write({ bench: String(seq) }, async (_, detail) => {
    throw new Error(detail);
  });
}

function spent(before?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

for (let i = 0; i < WARM_UP; i++) await writeBatch();
const points = Number(million) * 1e6;
const before = process.cpuUsage();
for (let written = 0; written < points; written += BATCH) await writeBatch();
const cpu = spent(before);
const rss = process.memoryUsage.rss();
const beforeMaking = process.cpuUsage();
for (let i = 0; i < points; i++) benchSample(i);
console.log(JSON.stringify({ points, cpu, making: spent(beforeMaking), rss }));
await store.close();
process.exit(0);
