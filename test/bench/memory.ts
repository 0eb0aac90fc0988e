/** What terminals that are connected and idle cost in memory: each of them the broker, and a fleet the whole product. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { numbersIn, type Options, type Row, rounded } from './figures.ts';
import { connectFleet } from './fleet.ts';
import { type Child, residentBytes, startChild } from './process.ts';
import { withScene } from './scene.ts';
import { selfSigned } from './self-signed.ts';
import { installTillwatch } from './tillwatch.ts';

const SETTLE_MS = 5_000;
/** KB each, and MB. */
const AIMS = { plain: 14, TLS: 36, start: 700 };

/**
 * Rows: what each connection adds to the broker's process, to its resident memory and to V8's heap (KB, after garbage collection); the
 * resident memory of `start` with its terminals (MB). Options: connections (plain, and of start) and tls, how many; each is logged in, and
 * its one report acknowledged.
 */
export async function benchMemory({ connections = '10000,5000', tls = '10000,5000', terminals = '10000' }: Options): Promise<Row[]> {
  const rows: Row[] = [];
  const counts = (list: string) => numbersIn(list).filter(Boolean);
  for (const count of counts(connections)) rows.push(await eachOf('plain', count));
  for (const count of counts(tls)) rows.push(await eachOf('TLS', count));
  for (const count of counts(terminals)) rows.push(await wholeStart(count));
  return rows;
}

function eachOf(way: 'plain' | 'TLS', connections: number): Promise<Row> {
  return withScene(async ({ folder, own }) => {
    const isTls = way === 'TLS';
    if (isTls) await selfSigned(folder);
    const broker = own(startChild('broker.ts', [folder, 'segments', isTls ? 'mqtts' : 'mqtt'], ['--expose-gc']));
    const { port } = await broker.next();
    const before = await settled(broker);
    const fleet = own(await connectFleet({ port: port!, keysFile: join(folder, 'keys.json'), connections, window: 1, isTls }));
    await fleet.play({ kind: 'once' });
    const after = await settled(broker);
    const each = (bytes: number) => rounded(bytes / connections / 1000);
    const rss = each(after.rss - before.rss);
    return {
      ...{ what: `${way} connection, KB each`, terminals: connections, RSS: rss, heap: each(after.heap - before.heap) },
      ...{ aim: AIMS[way], 'by RSS': rss <= AIMS[way] ? 'met' : 'missed' },
    };
  });
}

async function settled(broker: Child): Promise<{ rss: number; heap: number }> {
  await delay(SETTLE_MS);
  broker.send('collect');
  const { heap } = await broker.next();
  return { rss: residentBytes(broker.pid), heap: heap! };
}

function wholeStart(terminals: number): Promise<Row> {
  return withScene(async ({ folder, own, serve }) => {
    const { program, connect } = await installTillwatch({ folder, registered: terminals });
    const server = await serve(program('start'));
    const fleet = own(await connect({ connections: terminals, window: 1 }));
    await fleet.play({ kind: 'once' });
    await delay(SETTLE_MS);
    const mb = Math.round(server.peakRss / 1e6);
    return { what: 'start as a whole, MB', terminals, RSS: mb, aim: AIMS.start, 'by RSS': mb <= AIMS.start ? 'met' : 'missed' };
  });
}
