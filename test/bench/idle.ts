/** What an idle terminal costs the broker: logged in, and its one report acknowledged. Plain TCP. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startChild } from './process.ts';

const SETTLE_MS = 3_000;

/** Rows: connections, and what each adds to the broker's process: to its resident memory, and of that to V8's heap, in KB. */
export async function benchIdle(options: Record<string, string | undefined>): Promise<Record<string, string | number>[]> {
  const connections = Number(options.connections ?? 5_000);
  const dir = await mkdtemp(join(tmpdir(), 'tillwatch-bench-'));
  const broker = startChild('broker.ts', [dir, 'segments'], ['--expose-gc']);
  try {
    const { port } = await broker.next();
    const before = await settled(broker);
    const load = startChild('load.ts', [JSON.stringify({ port, keysFile: `${dir}/keys.json`, connections, window: 1, longWay: false })]);
    try {
      await load.next();
      load.send('once');
      await load.next();
      const after = await settled(broker);
      const each = (bytes: number) => Number((bytes / connections / 1000).toFixed(1));
      return [{ connections, 'RSS KB each': each(after.rss - before.rss), 'heap KB each': each(after.heap - before.heap) }];
    } finally {
      await load.stop();
    }
  } finally {
    await broker.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

async function settled(broker: ReturnType<typeof startChild>): Promise<{ rss: number; heap: number }> {
  await delay(SETTLE_MS);
  broker.send('collect');
  const { heap } = await broker.next();
  const [, pages] = readFileSync(`/proc/${broker.pid}/statm`, 'utf8').split(' ');
  return { rss: Number(pages) * 4096, heap: heap! };
}
