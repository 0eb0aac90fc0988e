/** Everybody at once: the product is killed and started again, and all terminals connect in the same moment and report. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Options, type Row, rounded } from './figures.ts';
import type { Server } from './process.ts';
import { withScene } from './scene.ts';
import { selfSigned } from './self-signed.ts';
import { installTillwatch, within } from './tillwatch.ts';

const STALL_METER = fileURLToPath(new URL('stall-meter.mjs', import.meta.url));
const ANSWER_MS = 30_000;
const AIM_MS = 200;

/**
 * Rows: seconds until the last one had its PUBACK, and the longest standstill of the event loop of `start`: before it was listening, when
 * there is nobody yet to wait, and from then on.
 * Options: connections and tls, how many of each, and rounds.
 */
export async function benchStorm({ connections = '10000', tls = '3000', rounds = '1' }: Options): Promise<Row[]> {
  const rows: Row[] = [];
  for (let round = 0; round < Number(rounds); round++) {
    for (const [way, count] of [
      ['plain', Number(connections)],
      ['TLS', Number(tls)],
    ] as const) {
      for (const limit of ['1000', '0']) if (count > 0) rows.push(await storm(way, count, limit));
    }
  }
  return rows;
}

function storm(way: 'plain' | 'TLS', connections: number, connectsASecond: string): Promise<Row> {
  return withScene(async ({ folder, own, serve }) => {
    const stallsFile = join(folder, 'stalls');
    const tls = way === 'TLS' ? await selfSigned(folder) : undefined;
    const env = { STALLS_FILE: stallsFile, TILLWATCH_MAX_CONNECTS_PER_SECOND: connectsASecond };
    const { program, connect } = await installTillwatch({ folder, registered: connections, ...(tls && { tls }), env });
    const server = await serve(program('start', ['--import', STALL_METER]));
    const fleet = own(await connect({ connections, window: 1 }));
    await fleet.play({ kind: 'once' });
    await fleet.play({ kind: 'calm' });
    await server.end('SIGKILL');
    await server.start();
    const [beginning] = await longestStalls(server, stallsFile);
    const result = await fleet.play({ kind: 'storm' });
    const stall = (await longestStalls(server, stallsFile)).at(-1)!;
    return {
      ...{ way, terminals: connections, 'connects/s allowed': connectsASecond === '0' ? 'all' : connectsASecond },
      ...{ 'all reported after s': rounded(result.seconds + result.drainSeconds), 'not yet': connections - result.acknowledged },
      ...{
        'stall as it starts, ms': Math.round(beginning!),
        'longest stall ms': Math.round(stall),
        'stall aim': stall < AIM_MS ? 'met' : `missed: ${AIM_MS}`,
      },
    };
  });
}

/** Milliseconds, one for each time that this was asked, the last one last. */
async function longestStalls(server: Server, file: string): Promise<number[]> {
  const lines = async () => (await readFile(file, 'utf8').catch(() => '')).split('\n').slice(0, -1);
  const before = (await lines()).length;
  server.signal('SIGUSR2');
  let stalls: string[] = [];
  await within(ANSWER_MS, 50, async () => {
    stalls = await lines();
    return stalls.length > before;
  });
  return stalls.map(Number);
}
