/** The sides that are compared, each over the same InfluxDB with its defaults: their processes, and how their reports are found there. */
import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../helpers/eventually.ts';
import { freePort, type InfluxAccess } from '../../helpers/influx.ts';
import type { BenchServers } from '../bench-servers.ts';
import { listening } from '../ports.ts';
import type { Program } from '../process.ts';
import { type Command, installTillwatch } from '../tillwatch.ts';
import type { PeerSettings, Role } from './scenarios.ts';
import { embeddedReports, influxReports, type StoredReports } from './stored.ts';

export const SIDES = ['peer', 'tillwatch', 'embedded'] as const;
export type SideName = (typeof SIDES)[number];

export interface Side {
  mqttPort: number;
  /** The keys that sign the terminals' tokens. */
  keysFile: string;
  /** In the order in which they start. */
  programs: { role: Role; program: Program }[];
  reports: StoredReports;
}

export interface SideOptions {
  folder: string;
  influx: InfluxAccess;
  terminals: number;
  servers: BenchServers;
  peer: PeerSettings;
  /** What Telegraf is to take of a report: the ten numbers that the benchmark began with, or every member, as we do. */
  parser: 'fields' | 'all';
  /** A folder for CPU profiles of our processes. */
  profiles?: string | undefined;
}

export function prepareSide(name: SideName, options: SideOptions): Promise<Side> {
  return name === 'peer' ? peer(options) : tillwatch(options, name === 'embedded');
}

async function tillwatch({ folder, influx, terminals, profiles }: SideOptions, isEmbedded: boolean): Promise<Side> {
  const installation = await installTillwatch({ folder, registered: terminals, ...(!isEmbedded && { influx }) });
  const { mqttPort, paths } = installation;
  const nodeArgs = profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : [];
  const program = (command: Command) => installation.program(command, nodeArgs);
  const keysFile = paths.keys;
  if (isEmbedded) return { mqttPort, keysFile, programs: [{ role: 'both', program: program('start') }], reports: embeddedReports(paths) };
  const programs = [
    { role: 'broker' as const, program: program('broker') },
    { role: 'collector' as const, program: program('collector') },
  ];
  return { mqttPort, keysFile, programs, reports: influxReports(influx, 'terminal') };
}

async function peer({ folder, influx, servers, parser, peer: settings }: SideOptions): Promise<Side> {
  const mqttPort = await freePort();
  const kept = join(folder, 'mosquitto');
  await mkdir(kept);
  const mosquittoConf = await fill(folder, 'mosquitto.conf', { ...settings, PORT: mqttPort, DIR: `${kept}/` });
  const { url: URL, org: ORG, bucket: BUCKET, token: TOKEN } = influx;
  const PARSER = template(`telegraf-parser-${parser}.conf`);
  const telegrafConf = await fill(folder, 'telegraf.conf', { ...settings, PORT: mqttPort, URL, ORG, BUCKET, TOKEN, PARSER });
  const subscribed = () =>
    eventually(async () => {
      if (!/Connected \[/.test(await readFile(join(folder, 'telegraf.log'), 'utf8'))) throw new Error('telegraf does not connect');
    });
  const mosquitto = { name: 'mosquitto', command: servers.mosquitto, args: ['-c', mosquittoConf], ready: () => listening(mqttPort) };
  const telegraf = { name: 'telegraf', command: servers.telegraf, args: ['--config', telegrafConf], ready: subscribed };
  const programs = [
    { role: 'broker' as const, program: mosquitto },
    { role: 'collector' as const, program: telegraf },
  ];
  return { mqttPort, keysFile: join(folder, 'keys.json'), programs, reports: influxReports(influx, 'report') };
}

async function fill(folder: string, name: string, values: Record<string, string | number>): Promise<string> {
  const path = join(folder, name);
  const text = template(name).replace(/@([A-Z]+)@/g, (_, key) => String(values[key]));
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

function template(name: string): string {
  return readFileSync(fileURLToPath(new URL(`${name}.in`, import.meta.url)), 'utf8');
}
