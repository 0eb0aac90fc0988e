/** The collector, put together: opens its parts, runs them side by side, and closes them in order. */
import { createWriteStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { serve } from '@hono/node-server';
import { openControlWriter } from '../../backbone/control.ts';
import { loadKeys, loadOrCreateKeys } from '../../backbone/credentials/keys.ts';
import { openKeys } from '../../backbone/credentials/rotation.ts';
import { issueToken } from '../../backbone/credentials/tokens.ts';
import type { Layout } from '../../backbone/layout.ts';
import { openLmdbState } from '../../backbone/lmdb.ts';
import { takeLock } from '../../backbone/lock.ts';
import { readFill } from '../../backbone/segments/fill.ts';
import { openSegmentReader } from '../../backbone/segments/reader.ts';
import { lookUp } from '../../protocol/response-codes.ts';
import { Access, loadOrCreateAdminToken } from '../api/access.ts';
import { createApi } from '../api/api.ts';
import { Feed } from '../feed/feed.ts';
import { type Clock, Owner } from '../owner/owner.ts';
import { Patience } from '../patience.ts';
import { openDuckDbStore } from '../store/duckdb.ts';
import { openInfluxStore } from '../store/influx.ts';
import type { InfluxAccess } from '../store/influx-http.ts';
import { type Kept, StoreError, type TelemetryStore } from '../store/port.ts';
import type { Range } from '../webhooks/addresses.ts';
import { openOwnerLog, statePaths } from './logs.ts';
import { createMetrics, type ExtraMetrics } from './metrics.ts';
import { sendBy } from './orders.ts';
import { openWebhooks } from './webhooks.ts';

const DAY_MS = 86_400_000;
/** How long the start waits for the store. Alerts, and where all is one process the broker, wait with it. */
const CHECK_MS = 3_000;
const BROKERS_LOG_FULL =
  "the brokers' log is full of what is still unread: terminals get no PUBACK and keep their messages, until what reads it has caught up, its disk has space or its size limit is raised";

export interface CollectorOptions {
  paths: Layout;
  http: { host: string; port: number };
  /** Absent: the embedded store. */
  influx?: InfluxAccess | undefined;
  /** How long the store keeps points, and how many series a measurement may have. */
  kept: Kept;
  maxSeries: number;
  logDays: number;
  quarantineDays: number;
  clock: Clock;
  random(bytes: number): Buffer;
  say(line: string): void;
  extraMetrics?: ExtraMetrics | undefined;
  /** The rules document; absent: the defaults. */
  rules?: Record<string, unknown> | undefined;
  /** Ranges of addresses that webhooks may be delivered to beside the public ones. */
  webhookAllow?: readonly Range[] | undefined;
  /** A file to which every entry is added as it is folded, in the replay format. */
  recordFile?: string | undefined;
}

export interface Collector {
  url: string;
  /** The file with the admin token, and whether this start made it. */
  adminToken: { path: string; made: boolean };
  /** Rejects when a part cannot go on; the process should then end, and may be started again. */
  failed: Promise<never>;
  stop(): Promise<void>;
}

/** Errors: LogError, StoreError, LockHeldError, KeyError, or the system's where the address is taken. */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const { paths, clock, random, say } = options;
  const closers: (() => Promise<unknown>)[] = [];
  const opened = <T>(part: T, close: (part: T) => Promise<unknown>): T => {
    closers.unshift(() => close(part));
    return part;
  };
  const closeAll = async () => {
    for (const close of closers.splice(0)) await close();
  };
  try {
    opened(await takeLock(paths.lock), (lock) => lock.release());
    await loadOrCreateKeys(paths.keys, random, clock.now);
    const admin = await loadOrCreateAdminToken(paths.adminToken, random);
    const store = opened(await openStore(options), (s) => s.close());
    const control = opened(await openControlWriter(paths.controlLog), (c) => c.close());
    const ownerLog = await openOwnerLog(paths, options.logDays * DAY_MS);
    opened(ownerLog, async ({ reader, writer }) => [await reader.close(), await writer.close()]);
    const brokersLog = opened(await openSegmentReader(paths.brokersLog), (r) => r.close());
    const states = statePaths(paths);
    for (const path of Object.values(states)) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const watchState = opened(await openLmdbState(states.watch), (s) => s.close());
    const feedState = opened(await openLmdbState(states.feed), (s) => s.close());
    const accessState = opened(await openLmdbState(states.access), (s) => s.close());
    const webhooksState = opened(await openLmdbState(states.webhooks), (s) => s.close());

    const patience = new Patience(clock, say);
    const record = options.recordFile === undefined ? undefined : opened(openRecord(options.recordFile), (r) => r.close()).write;
    const quarantineMs = options.quarantineDays * DAY_MS;
    const owner: Owner = new Owner({
      brokersLog,
      ownerLog,
      state: watchState,
      quarantineMs,
      clock,
      patience,
      send: sendBy(control),
      look: () => ({ logIsFull: readFill(paths.brokersLog)?.full, storeFailingMs: feed.failingMs }),
      record,
    });
    await owner.catchUp();
    const feedDeps = { brokersLog, ownerLog: ownerLog.reader, state: feedState, watchState, store, quarantineMs, clock, patience, say };
    const feed = new Feed({
      ...feedDeps,
      series: { most: options.maxSeries, days: options.kept.rawDays },
      classOf,
      outboxRead: (sequence) => owner.outboxRead('feed', sequence),
    });

    const { book, courier, webhooks, refusalOf } = openWebhooks({
      state: webhooksState,
      watchState,
      owner,
      clock,
      random,
      patience,
      allowed: options.webhookAllow ?? [],
      say,
    });

    const api = createApi({
      watch: owner.watch,
      watchState,
      feedState,
      quarantine: { messages: owner.quarantine, points: feed.quarantine },
      access: new Access(accessState, admin.token, random),
      now: clock.now,
      random,
      submit: (entries) => owner.submit(entries),
      control: (entry) => control.append(entry),
      enroll: async (user, expiresAt) => {
        const [key] = await loadKeys(paths.keys);
        return issueToken(key, user, { now: clock.now(), expiresAt });
      },
      keys: openKeys(paths.keys, control, random, clock.now),
      unready: () => [
        ...(feed.stats.healthy ? [] : [`the store (${store.name}) does not take points: they wait in the log`]),
        ...(patience.trouble === null ? [] : [patience.trouble]),
        ...(readFill(paths.brokersLog)?.full ? [BROKERS_LOG_FULL] : []),
      ],
      history: (query) => store.history(query, feed.stats.writtenAt),
      webhooks,
      refusalOf,
      metrics: createMetrics(
        { owner, feed, store, book, courier, brokersLog, fill: () => readFill(paths.brokersLog) },
        options.extraMetrics ?? (() => []),
      ),
      say,
    });
    const server = await listen(api.fetch, options.http);
    opened(server, (s) => s.close());
    await writeFile(paths.runtime, `${JSON.stringify({ pid: process.pid, http: server.url })}\n`, { mode: 0o600 });
    opened(paths.runtime, (path) => rm(path, { force: true }));

    const stopping = new AbortController();
    const running = [owner.run(stopping.signal), feed.run(stopping.signal), courier.run(stopping.signal)];
    setRules(owner, options.rules ?? {}).catch(() => {}); // what fails there ends the run, which says so
    return {
      url: server.url,
      adminToken: { path: paths.adminToken, made: admin.made },
      failed: firstFailure(running),
      stop: async () => {
        stopping.abort();
        await Promise.allSettled(running);
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** The rules are entries of the log, too: they are appended where they changed. */
async function setRules(owner: Owner, document: Record<string, unknown>): Promise<void> {
  if (JSON.stringify(owner.watch.rulesDocument ?? {}) === JSON.stringify(document)) return;
  await owner.submit((at) => [{ kind: 'rules', at, body: document, by: 'TILLWATCH_RULES' }]);
}

/** For a person to replay, so it is as durable as a file is: what counts is in the logs. */
function openRecord(path: string) {
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
  return {
    write: (line: string) => void stream.write(`${line}\n`),
    close: () => new Promise<void>((done) => stream.end(() => done())),
  };
}

/** A store that is away, or does not answer, delays points; one that refuses us is a mistake in the settings, and better said at once. */
async function openStore({ influx, kept, paths, clock, say }: CollectorOptions): Promise<TelemetryStore> {
  const store = influx ? openInfluxStore({ ...influx, kept, say }) : await openDuckDbStore(paths.store, kept);
  const answered = new AbortController();
  const late = clock.sleep(CHECK_MS, answered.signal).then(() => {
    throw new StoreError('unavailable', `no answer within ${CHECK_MS} ms`);
  });
  try {
    await Promise.race([store.check(), late]);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'unavailable') {
      await store.close();
      throw error;
    }
    say(`${error.message}: starting all the same, points wait in the log until it is back`);
  } finally {
    answered.abort();
  }
  return store;
}

function listen(fetch: (request: Request) => Response | Promise<Response>, { host, port }: { host: string; port: number }) {
  return new Promise<{ url: string; close(): Promise<void> }>((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, (address: AddressInfo) => {
      const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      const close = () =>
        new Promise<void>((done) => {
          server.close(() => done());
          // Idle keep-alive connections would hold up a clean stop.
          if ('closeAllConnections' in server) server.closeAllConnections();
        });
      resolve({ url: `http://${shown}:${address.port}`, close });
    });
    server.once('error', reject);
  });
}

/** The failure class of an answer; a code that no table knows is its own class. */
function classOf(system: string, code: string): string {
  const found = lookUp(system, code);
  return found.known ? found.failureClass : 'unknown';
}

/** Never resolves: a part that ends well was told to. */
function firstFailure(running: Promise<void>[]): Promise<never> {
  return new Promise((_, reject) => {
    for (const part of running) part.catch(reject);
  });
}
