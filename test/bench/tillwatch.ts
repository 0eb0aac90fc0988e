/** An installation under test: its data folder, the registry of its fleet, and its processes as users start them. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Layout, prepareDataDir } from '../../backbone/layout.ts';
import type { TlsFiles } from '../../broker/listeners/tls.ts';
import { freePort } from '../helpers/influx.ts';
import { connectFleet, type Fleet } from './fleet.ts';
import { ACQUIRER, merchantOf, serialOf, siteOf } from './packets.ts';
import type { LoadOptions } from './phases.ts';
import { listening } from './ports.ts';
import type { Program } from './process.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const TERMINAL_LIMIT = 20;
const IMPORT_BUFFER_BYTES = 1 << 20;
const CAUGHT_UP_SECONDS = 3;
const CATCH_UP_MS = 120_000;

export interface InstallationOptions {
  folder: string;
  /** How many terminals are registered. */
  registered: number;
  /** Absent: points go to the embedded store. */
  influx?: { url: string; org: string; bucket: string; token: string };
  tls?: TlsFiles;
  env?: Record<string, string>;
}

export type Command = 'broker' | 'collector' | 'start';

export interface Installation {
  paths: Layout;
  mqttPort: number;
  program(command: Command, nodeArgs?: readonly string[]): Program;
  /** A number of the collector's page of metrics; NaN where it is not there. */
  metric(name: string): Promise<number>;
  /** Resolves when the store is hardly behind, or will not be in time. */
  caughtUp(): Promise<void>;
  /** Terminals of the registry, each with its birth; resolves when all have logged in. */
  connect(load: Pick<LoadOptions, 'connections' | 'stride' | 'window'>): Promise<Fleet>;
}

/** Prepares the folder and imports the registry; starts nothing. */
export async function installTillwatch(options: InstallationOptions): Promise<Installation> {
  const { folder, registered, influx, tls } = options;
  const [mqttPort, httpPort] = [await freePort(), await freePort()];
  const paths = await prepareDataDir(join(folder, 'tillwatch'));
  const env = {
    TILLWATCH_DATA_DIR: paths.root,
    // With TLS the plain listener stands aside.
    TILLWATCH_MQTT_LISTEN: tls ? '127.0.0.1:0' : `127.0.0.1:${mqttPort}`,
    ...(tls && {
      TILLWATCH_MQTTS_LISTEN: `127.0.0.1:${mqttPort}`,
      TILLWATCH_TLS_CERT_FILE: tls.certFile,
      TILLWATCH_TLS_KEY_FILE: tls.keyFile,
    }),
    TILLWATCH_HTTP_LISTEN: `127.0.0.1:${httpPort}`,
    // A few terminals stand for many.
    TILLWATCH_MAX_TERMINAL_PACKETS_PER_SECOND: '0',
    // As the bucket, which keeps all.
    TILLWATCH_RAW_DAYS: '0',
    ...(influx && { INFLUX_URL: influx.url, INFLUX_ORG: influx.org, INFLUX_BUCKET: influx.bucket, INFLUX_TOKEN: influx.token }),
    ...options.env,
  };
  if (registered > 0) await importRegistry(folder, registered, env);
  const metric = async (name: string) => {
    // After a long standstill a server first ends the connections that it had.
    const page = await fetch(`http://127.0.0.1:${httpPort}/metrics`).then(
      (answer) => answer.text(),
      () => '',
    );
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1]);
  };
  return {
    paths,
    mqttPort,
    metric,
    program: (command, nodeArgs = []) => ({
      name: command,
      command: process.execPath,
      args: [...nodeArgs, MAIN, command],
      env,
      ready: async () => {
        if (command !== 'broker') await listening(httpPort);
        if (command !== 'collector') await listening(mqttPort);
      },
    }),
    async caughtUp() {
      await within(CATCH_UP_MS, 200, async () => (await metric('tillwatch_feed_lag_seconds')) < CAUGHT_UP_SECONDS);
    },
    connect: (load) => connectFleet({ ...load, port: mqttPort, keysFile: paths.keys, births: true, isTls: tls !== undefined }),
  };
}

async function importRegistry(folder: string, terminals: number, env: Record<string, string>): Promise<void> {
  const registry = join(folder, 'registry');
  await mkdir(registry);
  const merchants = new Set<string>();
  await writeRows(join(registry, 'terminals.csv'), 'acquirer,merchant,site,sn,model,lifecycle', terminals, (number) => {
    merchants.add(merchantOf(number));
    return `${ACQUIRER},${merchantOf(number)},${siteOf(number)},${serialOf(number)},A920,active`;
  });
  const names = [...merchants];
  await writeRows(join(registry, 'merchants.csv'), 'acquirer,merchant,name,terminal_limit,tz', names.length, (number) => {
    return `${ACQUIRER},${names[number]},Shop ${number},${TERMINAL_LIMIT},UTC`;
  });
  await promisify(execFile)(process.execPath, ['--max-old-space-size=8192', MAIN, 'import', registry], {
    env: { ...process.env, ...env },
    maxBuffer: IMPORT_BUFFER_BYTES,
  });
}

async function writeRows(path: string, head: string, count: number, row: (number: number) => string): Promise<void> {
  const file = createWriteStream(path);
  file.write(`${head}\n`);
  for (let number = 0; number < count; number++) if (!file.write(`${row(number)}\n`)) await once(file, 'drain');
  file.end();
  await once(file, 'close');
}

/** Resolves when a condition holds; false where it did not within the time. */
export async function within(ms: number, every: number, holds: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const until = performance.now() + ms; performance.now() < until; await delay(every)) if (await holds()) return true;
  return holds();
}
