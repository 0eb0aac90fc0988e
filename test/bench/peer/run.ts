/** One run: a fresh InfluxDB, one side, a load with its faults, and an exact check of all that was acknowledged against the store. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { loadOrCreateKeys } from '../../../backbone/credentials/keys.ts';
import { startInfluxd } from '../influxd.ts';
import type { LoadOptions, Phase, PhaseResult } from '../phases.ts';
import { type Child, type Server, startChild } from '../process.ts';
import { withScene } from '../scene.ts';
import type { Fault, Role, Scenario } from './scenarios.ts';
import { prepareSide, type Side, type SideName, type SideOptions } from './sides.ts';
import type { StoredReports } from './stored.ts';

const TERMINALS = 500;
const WARM_UP: Phase = { kind: 'run', seconds: 10, rate: 3_000 };
/** Nothing has arrived for so long: what is missing is stuck, or lost. */
const STALLED_MS = 15_000;
const POLL_MS = 500;
const SIGNALS = { kill: 'SIGKILL', term: 'SIGTERM' } as const;

export interface Run {
  scenario: string;
  side: SideName;
  acknowledged: number;
  /** PUBACKs a second, and milliseconds to them. */
  rate: number;
  p50: number;
  p99: number;
  /** Acknowledged, and not in the store at the end. */
  missing: number;
  /** Seconds from the end of the load until all was in the store; null: never. */
  visibleAfter: number | null;
  /** Reports a second from the first one on until all were in the store; 0 where some never came. */
  endToEnd: number;
  /** CPU-seconds per million reports: broker and collector, the broker's part of it, and InfluxDB. */
  cpu: number;
  brokerCpu: number;
  storeCpu: number;
  /** Megabytes that broker and collector had at most, and by how much they grew in the run. */
  peakMb: number;
  grownMb: number;
}

interface Started {
  role: Role;
  server: Server;
}

interface Stage {
  scenario: Scenario;
  name: SideName;
  side: Side;
  servers: Started[];
  load: Child;
  acknowledgedFile: string;
}

export function run(scenario: Scenario, name: SideName, fixed: Pick<SideOptions, 'servers' | 'parser' | 'profiles'>): Promise<Run> {
  return withScene(async ({ folder, own, serve }) => {
    const influx = await startInfluxd(fixed.servers.influxd, folder);
    const servers: Started[] = [{ role: 'store', server: own(influx.server) }];
    const options = { folder, influx: influx.access, terminals: TERMINALS, peer: scenario.peer, ...fixed };
    const side = await prepareSide(name, options);
    for (const { role, program } of side.programs) servers.push({ role, server: await serve(program) });
    const acknowledgedFile = join(folder, 'acknowledged.json');
    const load = own(await startLoad(side, scenario, acknowledgedFile));
    return measure({ scenario, name, side, servers, load, acknowledgedFile });
  });
}

/** The peer has no keys: there they sign tokens that nobody looks at, so that both sides are sent the same. */
async function startLoad({ mqttPort, keysFile }: Side, { window }: Scenario, acknowledgedFile: string): Promise<Child> {
  await loadOrCreateKeys(keysFile, randomBytes, Date.now);
  const options: LoadOptions = { port: mqttPort, keysFile, connections: TERMINALS, window, births: true, acknowledgedFile };
  const load = startChild('load.ts', [JSON.stringify(options)]);
  await load.next();
  return load;
}

async function measure(stage: Stage): Promise<Run> {
  const { scenario, name, side, servers, load } = stage;
  const warm = await play(load, WARM_UP);
  await allStored(side.reports, warm.acknowledged);
  for (const { server } of servers) server.watchMemory();
  const before = servers.map(({ server }) => ({ cpu: server.cpu, rss: server.rss }));
  const began = performance.now();
  const [result] = await Promise.all([play(load, { kind: 'run', ...scenario }), playFaults(scenario.faults, servers)]);
  const loadEnded = performance.now();
  const arrived = await arrival(stage, warm.acknowledged + result.acknowledged);
  const costs = servers.map(({ role, server }, i) => {
    const { cpu, rss } = before[i]!;
    return { role, cpu: server.cpu - cpu, peak: server.peakRss, grown: server.peakRss - rss };
  });
  const sum = (what: 'cpu' | 'peak' | 'grown', isStore: boolean) =>
    costs.filter(({ role }) => (role === 'store') === isStore).reduce((all, cost) => all + cost[what], 0);
  const perMillion = (cpu: number) => round((cpu / result.acknowledged) * 1e6, 1);
  const { acknowledged, rate, p50, p99 } = result;
  return {
    ...{ scenario: scenario.name, side: name, acknowledged, rate: Math.round(rate), p50, p99 },
    missing: await countMissing(stage),
    visibleAfter: arrived === null ? null : round((arrived - loadEnded) / 1000, 1),
    endToEnd: arrived === null ? 0 : Math.round((acknowledged / (arrived - began)) * 1000),
    cpu: perMillion(sum('cpu', false)),
    brokerCpu: perMillion(costs.find(({ role }) => role === 'broker')?.cpu ?? 0),
    storeCpu: perMillion(sum('cpu', true)),
    peakMb: Math.round(sum('peak', false) / 1e6),
    grownMb: Math.round(sum('grown', false) / 1e6),
  };
}

async function play(load: Child, phase: Phase): Promise<PhaseResult> {
  load.send(JSON.stringify(phase));
  return await load.next<PhaseResult>();
}

async function playFaults(faults: readonly Fault[], servers: readonly Started[]): Promise<void> {
  await Promise.all(
    faults.map(async ({ role, kind, atSeconds, downSeconds }) => {
      const { server } = servers.find((one) => one.role === role)!;
      await delay(atSeconds * 1000);
      if (kind === 'stop') server.signal('SIGSTOP');
      else await server.end(SIGNALS[kind]);
      await delay(downSeconds * 1000);
      if (kind === 'stop') server.signal('SIGCONT');
      else server.launch();
    }),
  );
}

/** When all was in the store; null where it never was. What is only stuck comes after an operator's restart of the collector. */
async function arrival({ side, scenario, servers }: Stage, acknowledged: number): Promise<number | null> {
  if (await allStored(side.reports, acknowledged)) return performance.now();
  if (scenario.rescue) {
    const { server } = servers.find(({ role }) => role === 'collector')!;
    await server.stop();
    await server.start();
    await allStored(side.reports, acknowledged);
  }
  return null;
}

/** False where no more arrives before all is there. */
async function allStored(reports: StoredReports, acknowledged: number): Promise<boolean> {
  reports.loadEnded();
  let [most, movedAt] = [Number.NEGATIVE_INFINITY, performance.now()];
  while (performance.now() - movedAt < STALLED_MS) {
    const stored = await reports.count().catch(() => most);
    if (stored >= acknowledged) return true;
    if (stored > most) [most, movedAt] = [stored, performance.now()];
    await delay(POLL_MS);
  }
  return false;
}

async function countMissing({ load, servers, side, acknowledgedFile }: Stage): Promise<number> {
  await load.finish();
  for (const { role, server } of servers.toReversed()) if (role !== 'store') await server.stop();
  const stored = await side.reports.all();
  const acknowledged = JSON.parse(await readFile(acknowledgedFile, 'utf8')) as Record<string, { next: number; open: number[] }>;
  let missing = 0;
  for (const [serial, { next, open }] of Object.entries(acknowledged)) {
    const there = new Set(stored.get(serial));
    for (const seq of open) there.add(seq);
    for (let seq = 0; seq < next; seq++) if (!there.has(seq)) missing++;
  }
  return missing;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
