/** What a stopped installation left behind: its logs, its state, its store. */
import type { Layout } from '../../backbone/layout.ts';
import { openLmdbState } from '../../backbone/lmdb.ts';
import type { Offset } from '../../backbone/log.ts';
import { openSegmentReader } from '../../backbone/segments/reader.ts';
import { statePaths } from '../../collector/app/ground.ts';
import { type BrokerEntry, decodeBrokerRecord, decodeOwnerRecord, isOwnerEntry } from '../../collector/log/entries.ts';
import { Follower, type Item } from '../../collector/log/follower.ts';
import { isBefore, type Position, positionFromText, START } from '../../collector/log/position.ts';
import { outboxAfter } from '../../collector/owner/outbox.ts';
import { fromBytes } from '../../collector/rows.ts';
import { openDuckDbStore } from '../../collector/store/duckdb.ts';
import type { Transition } from '../../protocol/alerts.ts';
import type { PlatformEntry } from '../../protocol/entries.ts';
import { terminalKey } from '../../protocol/topics.ts';
import { Watch } from '../../watch/fold/watch.ts';
import type { Influx } from '../helpers/influx.ts';
import type { Installation } from '../helpers/installation.ts';
import { FOR_EVER } from '../helpers/store.ts';
import { logKey, type Move, type StoredReport, type Told } from './history.ts';

const READ_BYTES = 1 << 20;

/** The merchants of terminals, as rows of committed imports say. */
export async function loggedMoves({ ownerLog }: Layout): Promise<Move[]> {
  const moves: Move[] = [];
  const open = new Map<string, Omit<Move, 'at'>[]>();
  for await (const bytes of records(ownerLog)) {
    const { entry } = decodeOwnerRecord(bytes);
    if (entry.kind === 'commit') moves.push(...(open.get(entry.import) ?? []).map((move) => ({ ...move, at: entry.at })));
    if (entry.kind !== 'registry' || entry.change.table !== 'terminals') continue;
    const { row } = entry.change;
    const rows = open.get(entry.import!) ?? [];
    open.set(entry.import!, [...rows, { user: terminalKey(row), merchant: row.merchant }]);
  }
  return moves;
}

/** What the owner's log says of our own sight, oldest first. */
export async function platformStates({ ownerLog }: Layout): Promise<({ at: number } & PlatformEntry['platform'])[]> {
  const states = [];
  for await (const bytes of records(ownerLog)) {
    const { entry } = decodeOwnerRecord(bytes);
    if (entry.kind === 'platform') states.push({ at: entry.at, ...entry.platform });
  }
  return states;
}

/** The terminals that the API lists as offline, or as having been. */
export async function offlineTerminals(installation: Installation): Promise<(string | null)[]> {
  const alerts = await installation.alerts();
  return alerts.filter(({ type }) => type === 'terminal.offline').map(({ subject }) => subject.terminal);
}

async function* records(log: string): AsyncGenerator<Uint8Array> {
  const reader = await openSegmentReader(log);
  try {
    for (let next = 1; next <= (await reader.end()); ) {
      for (const { batch, records } of await reader.read(next, READ_BYTES)) {
        next = batch + 1;
        yield* records;
      }
    }
  } finally {
    await reader.close();
  }
}

export interface Left {
  /** How far the watch had come when it saved last. */
  position: Position;
  /** Transitions that are saved and that the feed has not saved to be in the store, each with its number in the outbox. */
  pending: (Told & { sequence: number })[];
}

export async function leftState(paths: Layout): Promise<Left> {
  const [watch, feed] = [await openLmdbState(statePaths(paths).watch), await openLmdbState(statePaths(paths).feed)];
  try {
    const saved = fromBytes<{ position: string }>(watch.get('owner', 'watch')!);
    const { outbox } = fromBytes<{ outbox: number }>(feed.get('feed', 'feed')!);
    const pending = [...outboxAfter(watch, outbox)].flatMap(({ sequence, row }) =>
      row.kind === 'transition' ? [{ ...told(row as Transition), sequence }] : [],
    );
    return { position: positionFromText(saved.position), pending };
  } finally {
    await watch.close();
    await feed.close();
  }
}

export interface Folded {
  transitions: Transition[];
  /** The batch in which each report stands first. */
  reports: Map<string, number>;
}

/** A fold over both logs from their first entries on, up to where the watch had come; and the reports in all of the brokers' log. */
export async function foldLogs({ brokersLog, ownerLog }: Layout, until: Position): Promise<Folded> {
  const [brokers, owner] = [await openSegmentReader(brokersLog), await openSegmentReader(ownerLog)];
  try {
    const watch = new Watch();
    const folded: Folded = { transitions: [], reports: new Map() };
    const fold = (entry: Item['entry']) => folded.transitions.push(...watch.step(entry).transitions);
    const follower = new Follower(brokers, owner, START);
    for (let item = await follower.next(); item; item = await follower.next()) {
      if (!isOwnerEntry(item.entry)) noteReport(folded.reports, item.entry, item.offset);
      fold(item.entry);
    }
    // The watch reads on past the owner's last entry, and the owner's next one then comes after what was read.
    for (let bytes = await follower.brokers.peek(); bytes; bytes = await follower.brokers.peek()) {
      const entry = decodeBrokerRecord(bytes);
      noteReport(folded.reports, entry, follower.brokers.next);
      if (isBefore(follower.brokers.next, until.brokers)) fold(entry);
      follower.brokers.advance();
    }
    return folded;
  } finally {
    await brokers.close();
    await owner.close();
  }
}

function noteReport(reports: Map<string, number>, entry: BrokerEntry, { batch }: Offset): void {
  if (entry.kind !== 'message' || !entry.decoded.ok || entry.decoded.message.channel !== 'report') return;
  const { session, seq } = entry.decoded.message.body;
  const key = logKey({ user: terminalKey(entry), session, seq });
  if (!reports.has(key)) reports.set(key, batch);
}

export function told({ alert, transition, at }: Pick<Transition, 'alert' | 'transition' | 'at'>): Told {
  return { id: alert.id, transition, at };
}

export interface Stored {
  reports: StoredReport[];
  /** In the order of the outbox. */
  transitions: Told[];
  /** The number in the outbox up to which all is there: it may have been stopped between a write and the feed's own save. */
  outbox: number;
}

export async function duckDbContent({ store: path }: Layout): Promise<Stored> {
  const store = await openDuckDbStore(path, FOR_EVER);
  try {
    const reports = await store.query('SELECT acquirer, sn, "at", seq, signal_rsrp, merchant FROM terminal');
    const tables = await store.query("SELECT 1 FROM information_schema.tables WHERE table_name = 'alert'");
    const alerts = tables.length > 0 ? await store.query('SELECT id, transition, "at" FROM alert ORDER BY rowid') : [];
    return {
      reports: reports.map((row) => ({
        user: `${row.acquirer}/${row.sn}`,
        at: Number(row.at),
        seq: Number(row.seq),
        rsrp: Number(row.signal_rsrp),
        merchant: String(row.merchant ?? ''),
      })),
      transitions: alerts.map((row) => ({ id: String(row.id), transition: String(row.transition), at: Number(row.at) })),
      outbox: Number((await store.marks())?.outbox ?? 0),
    };
  } finally {
    await store.close();
  }
}

/**
 * The points of one acquirer, its reports by terminal, as an answer with all of them would be a very large text; and of the alerts with
 * these ids: those about the platform are of no acquirer.
 */
export async function influxContent(
  influx: Influx,
  acquirer: string,
  users: ReadonlySet<string>,
  alertIds: ReadonlySet<string>,
): Promise<Stored> {
  const reports: StoredReport[] = [];
  for (const user of users) {
    for (const { tags, fields, time } of await influx.points('terminal', { acquirer, sn: user.slice(acquirer.length + 1) })) {
      reports.push({
        user,
        at: Date.parse(time),
        seq: Number(fields.seq),
        rsrp: Number(fields.signal_rsrp),
        merchant: tags.merchant ?? '',
      });
    }
  }
  const all = await influx.points('alert');
  const alerts = all
    .filter(({ tags, fields }) => tags.acquirer === acquirer || alertIds.has(String(fields.id)))
    .sort((a, b) => orderOf(a.time) - orderOf(b.time));
  const transitions = alerts.map(({ fields, time }) => ({
    id: String(fields.id),
    transition: String(fields.transition),
    at: Date.parse(time),
  }));
  return { reports, transitions, outbox: Math.max(0, ...all.map(({ time }) => orderOf(time))) };
}

/** The outbox's own number, which a point carries as its nanoseconds. */
function orderOf(time: string): number {
  return Number((/\.(\d+)Z$/.exec(time)?.[1] ?? '').padEnd(9, '0').slice(3));
}
