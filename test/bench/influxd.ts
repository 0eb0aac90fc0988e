/** A fresh InfluxDB with its defaults, as one of the measured servers. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../helpers/eventually.ts';
import { freePort, type InfluxAccess, influxdEnvironment, setUpInflux } from '../helpers/influx.ts';
import { Server } from './process.ts';

const READY_WITHIN_MS = 60_000;

export async function startInfluxd(command: string, folder: string): Promise<{ server: Server; access: InfluxAccess }> {
  const data = join(folder, 'influxd');
  await mkdir(data);
  const port = await freePort();
  const access = { url: `http://127.0.0.1:${port}`, token: 'a-token-of-measurements', org: 'bench', bucket: 'bench' };
  const ready = async () => {
    const answer = await fetch(`${access.url}/ready`);
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`influxd is not ready: ${answer.status}`);
  };
  const server = new Server(
    {
      ...{ name: 'influxd', command, args: [], env: influxdEnvironment(data, port) },
      ready: () => eventually(ready, { within: READY_WITHIN_MS, every: 50 }),
    },
    folder,
  );
  try {
    await server.start();
    await setUpInflux(access);
    return { server, access };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
