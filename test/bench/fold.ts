/** The fold alone, over entries that are decoded already: what it carries, what a terminal takes, and what a mass outage costs. */
import type { Entry } from '../../protocol/entries.ts';
import type { Message } from '../../protocol/schemas/messages.ts';
import type { Sample } from '../../protocol/schemas/sample.ts';
import { takeSaved } from '../../watch/fold/table.ts';
import type * as Built from '../../watch/fold/watch.ts';
import type { Options, Row } from './figures.ts';

const START = Date.UTC(2026, 2, 2);
const INTERVAL_SECONDS = 300;
const ROUNDS = 4;
/** Entries made before they are folded: as in life, they die young. */
const CHUNK = 2_000;
const ACQUIRERS = 20;
const OPERATORS = 3;
const PER_SITE = 3;
const PER_CELL = 40;
/** Terminals of one operator that go at once. */
const LOST = 200_000;
const LOST_WITHIN_SECONDS = 30;

export async function benchFold(options: Options): Promise<Row[]> {
  if (!globalThis.gc) throw new Error('start it with NODE_OPTIONS=--expose-gc, to see the heap without what is garbage');
  const count = Number(options.terminals ?? 1_000_000);
  // As it is built: what runs TypeScript as it stands names each closure anew.
  const { Watch }: typeof Built = await import(new URL('../../dist/watch/fold/watch.js', import.meta.url).href);
  return [measure(new Watch(), 'presence alone', count, false), measure(new Watch(), 'every watch', count, true)];
}

function measure(watch: Built.Watch, what: string, count: number, full: boolean): Row {
  const before = heapUsed();
  let at = START;
  for (let n = 0; n < count; n++) watch.step(registration(n, at));
  at += 1000;
  watch.step({ kind: 'tick', at });
  let entries = 0;
  let busyMs = 0;
  let longestMs = 0;
  const fold = (chunk: Entry[]) => {
    for (const entry of chunk) {
      const from = performance.now();
      watch.step(entry);
      longestMs = Math.max(longestMs, performance.now() - from);
    }
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (let first = 0; first < count; first += CHUNK) {
      const size = Math.min(CHUNK, count - first);
      const chunk = Array.from({ length: size }, (_, i) => {
        const time = at + Math.floor(((first + i) / count) * INTERVAL_SECONDS * 1000);
        return round === 0 ? birth(first + i, time) : report(first + i, round, time, full);
      });
      const cpu = process.cpuUsage();
      fold(chunk);
      const used = process.cpuUsage(cpu);
      if (round > 0) {
        busyMs += (used.user + used.system) / 1000;
        entries += size;
      }
    }
    at += INTERVAL_SECONDS * 1000;
    save(watch);
  }
  const bytes = (heapUsed() - before) / count;
  const outage = loseMany(watch, Math.min(LOST, Math.floor(count / 5)), at);
  return {
    what,
    terminals: count,
    'bytes a terminal': Math.round(bytes),
    'entries a CPU-second': Math.round(entries / (busyMs / 1000)),
    'longest step, ms': longestMs.toFixed(1),
    ...outage,
  };
}

/** As the owner does every few seconds: what has changed is remembered until then. */
function save(watch: Built.Watch): void {
  watch.beginSave();
  while (takeSaved(watch.tables, CHUNK).length > 0);
}

/** Wills of many at once: what is said, how late, and the longest that one entry takes. */
function loseMany(watch: Built.Watch, lost: number, at: number): Row {
  const said: string[] = [];
  let longestMs = 0;
  const step = (entry: Entry) => {
    const from = performance.now();
    for (const { transition, alert } of watch.step(entry).transitions) said.push(`${transition} ${alert.type}`);
    longestMs = Math.max(longestMs, performance.now() - from);
  };
  for (let i = 0; i < lost; i++) step(will(i * OPERATORS, at + Math.floor((i / lost) * LOST_WITHIN_SECONDS * 1000)));
  for (let second = 1; second <= 95; second++) step({ kind: 'tick', at: at + (LOST_WITHIN_SECONDS + second) * 1000 });
  const fired = (type: string) => said.filter((one) => one === `fired ${type}`).length;
  return {
    'lost at once': lost,
    outages: fired('outage'),
    singles: fired('terminal.offline'),
    'longest second, ms': Math.round(longestMs),
  };
}

function heapUsed(): number {
  globalThis.gc!();
  globalThis.gc!();
  return process.memoryUsage().heapUsed;
}

const snOf = (n: number): string => `SN${String(n).padStart(8, '0')}`;
const acquirerOf = (n: number): string => `a-${n % ACQUIRERS}`;
const siteOf = (n: number): string => `s-${Math.floor(n / ACQUIRERS / PER_SITE)}`;

function registration(n: number, at: number): Entry {
  const row = { acquirer: acquirerOf(n), merchant: 'm-1', site: siteOf(n), sn: snOf(n), lifecycle: 'active' as const };
  return { kind: 'registry', at, change: { table: 'terminals', row } };
}

function message(n: number, at: number, message: Message): Entry {
  return { kind: 'message', at, node: 'n', acquirer: acquirerOf(n), sn: snOf(n), channel: message.channel, decoded: { ok: true, message } };
}

const session = (n: number): string => `01J${String(n).padStart(23, '0')}`;

function birth(n: number, at: number): Entry {
  const body = { v: 1 as const, session: session(n), at, interval: INTERVAL_SECONDS, keepalive: 60, app: `3.${n % 4}.1`, site: siteOf(n) };
  return message(n, at, { channel: 'birth', body });
}

function report(n: number, seq: number, at: number, full: boolean): Entry {
  const cell = Math.floor(n / PER_CELL);
  const network = { mcc: '460', mnc: `0${n % OPERATORS}`, lac: String(cell >> 8), cell: String(cell) };
  const sample: Sample = full
    ? {
        at,
        signal: { rat: 'lte', rsrp: -90 - ((n + seq) % 7), rsrq: -10, sinr: 12, ...network },
        place: { lat: 31 + (n % 100) / 1000, lon: 121, accuracy: 30 },
        power: { battery: 0.9, mains: true },
        bindings: { terminals: { bound: 3, limit: 10 } },
        link: { reconnects: 0, registrations: 0, connectedSeconds: 300 },
      }
    : { at, signal: { rat: 'lte', ...network } };
  return message(n, at, { channel: 'report', body: { v: 1, session: session(n), seq, samples: [sample] } });
}

function will(n: number, at: number): Entry {
  return message(n, at, { channel: 'state', body: { v: 1, session: session(n), state: 'lost' } });
}
