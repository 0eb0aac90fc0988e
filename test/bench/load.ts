/**
 * Load for a measurement: N terminals over loopback, bounded in time. Connects them, then reads a phase a line on standard input, and
 * prints what came of it. Ends with its input: then it writes what was acknowledged, where it is to.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { loadOrCreateKeys } from '../../backbone/credentials/keys.ts';
import { issueToken } from '../../backbone/credentials/tokens.ts';
import { Latencies } from './latencies.ts';
import type { LoadOptions, Phase, PhaseResult } from './phases.ts';
import { type Tally, Terminal } from './terminal.ts';

const MAX_SECONDS = 300;
const DRAIN_MS = 15_000;
const STORM_MS = 120_000;
const CONNECTS_AT_ONCE = 100;
const PACE_MS = 5;
const YEAR_MS = 365 * 86_400_000;

const options: LoadOptions = JSON.parse(process.argv[2]!);
const { first = 0, stride = 1, births = false, longWay = false, isTls = false } = options;
const [key] = await loadOrCreateKeys(options.keysFile, randomBytes, Date.now);
const latencies = new Latencies();
let acknowledged = 0;
const tally: Tally = {
  acknowledged: (ms) => {
    acknowledged++;
    latencies.add(ms);
  },
  ready: () => {},
  offered: 0,
  resent: 0,
  connects: 0,
  disconnects: 0,
  stopped: false,
};
const token = (user: string) => {
  const now = Date.now();
  return issueToken(key, user, { now, expiresAt: now + YEAR_MS });
};
const terminalOptions = { ...options, isTls, births, longWay, token };
const terminals = Array.from({ length: options.connections }, (_, n) => new Terminal(first + n * stride, terminalOptions, tally));

for (let n = 0; n < terminals.length; n += CONNECTS_AT_ONCE) {
  await Promise.all(terminals.slice(n, n + CONNECTS_AT_ONCE).map((terminal) => terminal.connect()));
}
console.log(JSON.stringify({ connected: terminals.length }));
for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await play(JSON.parse(line))));
tally.stopped = true;
if (options.acknowledgedFile) writeFileSync(options.acknowledgedFile, JSON.stringify(whatWasAcknowledged()));
process.exit(0);

async function play(phase: Phase): Promise<PhaseResult | { ended: number }> {
  if (phase.kind === 'calm') {
    tally.stopped = true;
    return { ended: 0 };
  }
  const before = { ...tally };
  const acknowledgedBefore = acknowledged;
  latencies.clear();
  const began = performance.now();
  if (phase.kind === 'storm') await storm();
  else if (phase.kind === 'once') for (const terminal of terminals) terminal.send();
  else await (phase.rate === 0 ? flatOut : paced)(Math.min(phase.seconds, MAX_SECONDS), phase.rate);
  const seconds = (performance.now() - began) / 1000;
  const inTime = acknowledged - acknowledgedBefore;
  await drained();
  const since = (name: 'offered' | 'resent' | 'connects' | 'disconnects') => tally[name] - before[name];
  return {
    acknowledged: acknowledged - acknowledgedBefore,
    offered: since('offered'),
    unacknowledged: open(),
    resent: since('resent'),
    connects: since('connects'),
    disconnects: since('disconnects'),
    seconds,
    rate: inTime / seconds,
    drainSeconds: (performance.now() - began) / 1000 - seconds,
    p50: latencies.at(0.5),
    p99: latencies.at(0.99),
  };
}

async function flatOut(seconds: number): Promise<void> {
  tally.ready = (terminal) => terminal.fill();
  for (const terminal of terminals) if (terminal.isUp) terminal.fill();
  await delay(seconds * 1000);
  tally.ready = () => {};
}

/** All of them in turn; one whose window is full is passed over. */
async function paced(seconds: number, rate: number): Promise<void> {
  const began = performance.now();
  const offeredBefore = tally.offered;
  let turn = 0;
  for (let elapsed = 0; elapsed < seconds; elapsed = (performance.now() - began) / 1000) {
    let due = Math.floor(elapsed * rate) - (tally.offered - offeredBefore);
    for (let passed = 0; due > 0 && passed < terminals.length; turn++) {
      const terminal = terminals[turn % terminals.length]!;
      if (terminal.isUp && terminal.inFlight.size < options.window) {
        terminal.send();
        due--;
        passed = 0;
      } else passed++;
    }
    await delay(PACE_MS);
  }
}

/** After `calm`, and once all connections have broken: all connect at the same moment, and report. */
async function storm(): Promise<void> {
  const told = new Set<Terminal>();
  tally.stopped = false;
  tally.ready = (terminal) => {
    if (told.has(terminal)) return;
    told.add(terminal);
    terminal.send();
  };
  for (const terminal of terminals) void terminal.connect();
  for (const until = performance.now() + STORM_MS; performance.now() < until; await delay(PACE_MS)) {
    if (told.size === terminals.length && open() === 0) break;
  }
  tally.ready = () => {};
}

function open(): number {
  return terminals.reduce((sum, { inFlight }) => sum + inFlight.size, 0);
}

async function drained(): Promise<void> {
  for (const until = performance.now() + DRAIN_MS; open() > 0 && performance.now() < until; ) await delay(20);
}

/** Of each terminal the numbers 0 to `next` without those that are `open`. */
function whatWasAcknowledged(): Record<string, { next: number; open: number[] }> {
  return Object.fromEntries(
    terminals.map(({ serial, seq, inFlight }) => [serial, { next: seq, open: [...inFlight.values()].map((r) => r.seq) }]),
  );
}
