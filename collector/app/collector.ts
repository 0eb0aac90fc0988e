/** The collector, put together: opens its parts, runs them side by side, and closes them in order. */
import { rm, writeFile } from 'node:fs/promises';
import { loadKeys, loadOrCreateKeys } from '../../backbone/credentials/keys.ts';
import { openKeys } from '../../backbone/credentials/rotation.ts';
import { issueToken } from '../../backbone/credentials/tokens.ts';
import { type Fill, readFill } from '../../backbone/segments/fill.ts';
import type { StateStore } from '../../backbone/state.ts';
import { lookUp } from '../../protocol/response-codes.ts';
import { Access, type AdminToken, loadOrCreateAdminToken } from '../api/access.ts';
import { createApi } from '../api/api.ts';
import { Feed } from '../feed/feed.ts';
import { Owner } from '../owner/owner.ts';
import { Patience } from '../patience.ts';
import type { TelemetryStore } from '../store/port.ts';
import type { Range } from '../webhooks/addresses.ts';
import { type Ground, openGround, openState } from './ground.ts';
import { listen } from './http.ts';
import { createMetrics, type ExtraMetrics } from './metrics.ts';
import { Opened } from './opened.ts';
import { sendBy } from './orders.ts';
import { openRecord, type RecordFile } from './record.ts';
import { openStore, type StoreOptions } from './store.ts';
import { openWebhooks } from './webhooks.ts';

const DAY_MS = 86_400_000;
/** By so much an alert may come later; without it a report costs a tenth more. */
const GATHER_MS = 50;
const BROKERS_LOG_FULL =
  "the brokers' log is full of what is still unread: terminals get no PUBACK and keep their messages, until what reads it has caught up, its disk has space or its size limit is raised";

export interface CollectorOptions extends StoreOptions {
  http: { host: string; port: number };
  /** How many series a measurement may have. */
  maxSeries: number;
  logDays: number;
  quarantineDays: number;
  random(bytes: number): Buffer;
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

/** What it stands on. */
interface Parts extends Ground {
  admin: AdminToken;
  store: TelemetryStore;
  feedState: StateStore;
  accessState: StateStore;
  webhooksState: StateStore;
  record: RecordFile | undefined;
}

/** Errors: LogError, StoreError, LockHeldError, KeyError, or the system's where the address is taken. */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const opened = new Opened();
  try {
    return await start(options, await openParts(options, opened), opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function openParts(options: CollectorOptions, opened: Opened): Promise<Parts> {
  const { paths, clock, random, logDays, recordFile } = options;
  const ground = await openGround(paths, logDays * DAY_MS, opened);
  await loadOrCreateKeys(paths.keys, random, clock.now);
  return {
    ...ground,
    admin: await loadOrCreateAdminToken(paths.adminToken, random),
    store: opened.add(await openStore(options), (store) => store.close()),
    feedState: await openState(paths, 'feed', opened),
    accessState: await openState(paths, 'access', opened),
    webhooksState: await openState(paths, 'webhooks', opened),
    record: recordFile === undefined ? undefined : opened.add(openRecord(recordFile), (record) => record.close()),
  };
}

async function start(options: CollectorOptions, parts: Parts, opened: Opened): Promise<Collector> {
  const { paths, clock, random, say } = options;
  const { admin, brokersLog, ownerLog, control, watchState, feedState, store } = parts;
  const quarantineMs = options.quarantineDays * DAY_MS;
  const patience = new Patience(clock, say);
  const owner = new Owner({
    brokersLog,
    ownerLog,
    state: watchState,
    quarantineMs,
    clock,
    patience,
    gatherMs: GATHER_MS,
    send: sendBy(control),
    look: () => ({ logIsFull: readFill(paths.brokersLog)?.full, storeFailingMs: feed.failingMs }),
    record: parts.record?.write,
  });
  await owner.catchUp();
  const feed = new Feed({
    brokersLog,
    ownerLog: ownerLog.reader,
    state: feedState,
    watchState,
    store,
    quarantineMs,
    series: { most: options.maxSeries, days: options.kept.rawDays },
    classOf,
    clock,
    patience,
    say,
    outboxRead: (sequence) => owner.outboxRead('feed', sequence),
  });
  const { book, courier, webhooks, refusalOf } = openWebhooks({
    ...{ state: parts.webhooksState, watchState, owner, clock, random, patience, say },
    allowed: options.webhookAllow ?? [],
  });
  const counted = { owner, feed, store, book, courier, brokersLog, fill: () => readFill(paths.brokersLog) };
  const api = createApi({
    watch: owner.watch,
    watchState,
    feedState,
    quarantine: { messages: owner.quarantine, points: feed.quarantine },
    access: new Access(parts.accessState, admin.token, random),
    now: clock.now,
    random,
    submit: (entries) => owner.submit(entries),
    control: (entry) => control.append(entry),
    enroll: async (user, expiresAt) => issueToken((await loadKeys(paths.keys))[0], user, { now: clock.now(), expiresAt }),
    keys: openKeys(paths.keys, control, random, clock.now),
    unready: () => unready(feed, store, patience, readFill(paths.brokersLog)),
    history: (query) => store.history(query, feed.stats.writtenAt),
    webhooks,
    refusalOf,
    metrics: createMetrics(counted, options.extraMetrics ?? (() => [])),
    say,
  });
  const { url } = opened.add(await listen(api.fetch, options.http), (server) => server.close());
  await writeFile(paths.runtime, `${JSON.stringify({ pid: process.pid, http: url })}\n`, { mode: 0o600 });
  opened.add(paths.runtime, (path) => rm(path, { force: true }));

  const stopping = new AbortController();
  const running = [owner.run(stopping.signal), feed.run(stopping.signal), courier.run(stopping.signal)];
  setRules(owner, options.rules ?? {}).catch(() => {}); // what fails there ends the run, which says so
  return {
    url,
    adminToken: { path: paths.adminToken, made: admin.made },
    failed: firstFailure(running),
    stop: async () => {
      stopping.abort();
      await Promise.allSettled(running);
      await opened.close();
    },
  };
}

/** What is not as it should be, in words. */
function unready(feed: Feed, store: TelemetryStore, patience: Patience, fill: Fill | undefined): string[] {
  return [
    ...(feed.stats.healthy ? [] : [`the store (${store.name}) does not take points: they wait in the log`]),
    ...(patience.trouble === null ? [] : [patience.trouble]),
    ...(fill?.full ? [BROKERS_LOG_FULL] : []),
  ];
}

/** The rules are entries of the log, too: they are appended where they changed. */
async function setRules(owner: Owner, document: Record<string, unknown>): Promise<void> {
  if (JSON.stringify(owner.watch.rulesDocument ?? {}) === JSON.stringify(document)) return;
  await owner.submit((at) => [{ kind: 'rules', at, body: document, by: 'TILLWATCH_RULES' }]);
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
