/** What can happen to a process under load, and to several of them at once: kill -9, SIGTERM, and a while in which it stands still. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Layout } from '../../backbone/layout.ts';
import { statePaths } from '../../collector/app/ground.ts';
import type { Influx } from '../helpers/influx.ts';
import type { Process } from '../helpers/installation.ts';
import { byForm } from './form.ts';
import { between, pick, seeded, shuffled } from './random.ts';
import { note, type Round } from './round.ts';

/** How long SIGSTOP lasts: half a minute in the full form, shortened else. */
const STOP_MS = byForm(2_000, 30_000);
/** Between two faults of one victim. */
const MOST_PAUSE_MS = byForm(700, 6_000);
const MOST_DOWN_MS = 400;
const WRITE_WITHIN_MS = 2_000;
/** A killed one is now and then hit again while it is still starting. */
const WAITS_UNTIL_READY = 0.7;

type Fault = 'kill' | 'term' | 'stop';
/** What happens to each victim in a round. */
const FAULTS = byForm<Fault[]>(['kill', 'term', 'stop'], ['kill', 'kill', 'term', 'stop']);

export interface Victim {
  readonly name: string;
  pause(): void;
  resume(): void;
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Starts it; `ready` resolves when it works. */
  start(): Promise<void>;
  ready(): Promise<void>;
  /** Files in which its commits show: what matters about a kill is between them, and they are rare. */
  readonly commits: readonly string[];
}

/** Lets every fault happen to each victim, in an order and at moments of its own, so that they overlap. All work at the end. */
export async function harass(round: Round, seed: number, victims: readonly Victim[]): Promise<void> {
  const lanes = victims.map((victim, i) => harassOne(round, victim, seeded(seed + 10 + i)));
  // One that failed must not leave the others at it when the test is over.
  for (const lane of await Promise.allSettled(lanes)) if (lane.status === 'rejected') throw lane.reason;
}

async function harassOne(round: Round, victim: Victim, random: () => number): Promise<void> {
  for (const fault of shuffled(random, FAULTS)) {
    await delay(between(random, 50, MOST_PAUSE_MS));
    if (fault === 'stop') await standStill(victim);
    else await endAndStart(victim, fault, random);
    note(round, `${fault} ${victim.name}`);
    if (fault !== 'stop' && random() < WAITS_UNTIL_READY) await victim.ready();
  }
  await victim.ready();
}

async function standStill(victim: Victim): Promise<void> {
  victim.pause();
  await delay(STOP_MS);
  victim.resume();
}

async function endAndStart(victim: Victim, fault: 'kill' | 'term', random: () => number): Promise<void> {
  if (fault === 'kill') await killingMoment(victim, random);
  await victim.end(fault === 'kill' ? 'SIGKILL' : 'SIGTERM');
  await delay(between(random, 0, MOST_DOWN_MS));
  await victim.start();
}

/** A moment like any other, or one while the victim commits. */
async function killingMoment({ commits }: Victim, random: () => number): Promise<void> {
  if (commits.length === 0 || random() < 0.4) return;
  await written(pick(random, commits));
  await delay(between(random, 0, 6));
}

/** Resolves when the file is written to, or after a while in which it is not. */
async function written(path: string): Promise<void> {
  const changedAt = () => statSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs;
  const before = changedAt();
  for (let tries = 0; tries < WRITE_WITHIN_MS && changedAt() === before; tries++) await delay(1);
}

/** Broker, collector, or all of it. */
export function partOf({ installation, processes, influx }: Round, command: 'broker' | 'collector' | 'start'): Victim {
  let process: Process = processes.find((one) => one.command === command)!;
  const commits = command === 'broker' ? [] : commitFiles(installation.paths, influx === undefined);
  return {
    name: command,
    commits,
    pause: () => process.pause(),
    resume: () => process.resume(),
    async end(signal) {
      // Before it is ready it may not have learnt to stop cleanly.
      const wasReady = process.isReady;
      const code = await process.end(signal);
      if (signal === 'SIGTERM' && wasReady) expect([code, process.said]).toEqual([0, process.said]);
    },
    async start() {
      process = installation.start(command);
    },
    ready: () => process.ready(),
  };
}

function commitFiles(paths: Layout, embedded: boolean): string[] {
  const { watch, feed } = statePaths(paths);
  const files = [join(watch, 'data.mdb'), join(feed, 'data.mdb'), join(paths.ownerLog, 'durable')];
  return embedded ? [`${paths.store}.wal`, ...files] : files;
}

export function serverOf(influx: Influx): Victim {
  return {
    name: 'influxd',
    commits: [],
    pause: () => void process.kill(influx.pid, 'SIGSTOP'),
    resume: () => void process.kill(influx.pid, 'SIGCONT'),
    end: (signal) => influx.end(signal),
    start: () => influx.restart(),
    ready: async () => {},
  };
}
