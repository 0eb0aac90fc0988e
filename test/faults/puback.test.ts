import { afterEach, expect, it, onTestFinished } from 'vitest';
import type { LogWriter } from '../../backbone/log.ts';
import { decodeRecord } from '../../protocol/record.ts';
import { terminalKey } from '../../protocol/topics.ts';
import { testBroker } from '../broker/harness.ts';
import { eventually } from '../helpers/eventually.ts';
import { MemoryLog } from '../helpers/memory-log.ts';
import { checkHistory, type History, logKey, type SentReport } from './history.ts';
import { Fleet } from './load.ts';
import { seeded } from './random.ts';

const TERMINALS = new Map([
  ['SN0001', 'm-1'],
  ['SN0002', 'm-1'],
]);
const NOTHING: History = { sent: [], logged: new Map(), stored: [], moves: [], asked: [], announced: [], folded: [], listed: [] };

let fleet: Fleet;
afterEach(() => fleet.end());

/** Real terminals at a real broker over this log; what their PUBACKs promised, against what was durable then. */
async function earlyPubacks(
  disk: MemoryLog,
  log: LogWriter,
  meanwhile: () => Promise<void>,
): Promise<{ sent: SentReport[]; early: string[] }> {
  const broker = await testBroker({ log });
  const durable = () => disk.batches.length;
  const { port, token } = broker;
  const base = { acquirer: 'acme', terminals: TERMINALS, port: () => port, token, durable, now: Date.now, random: seeded(5) };
  fleet = new Fleet({ ...base, everyMs: 5, intervalSeconds: 300, keepaliveSeconds: 300, limit: 60 });
  await meanwhile();
  await fleet.drain(10_000);
  const sent = fleet.reports;
  const problems = checkHistory({ ...NOTHING, sent, logged: loggedIn(disk) });
  return { sent, early: problems.filter(({ kind }) => kind === 'early_puback').map(({ what }) => what) };
}

function loggedIn(disk: MemoryLog): Map<string, number> {
  const logged = new Map<string, number>();
  for (const { batch, records } of disk.batches) {
    for (const record of records.map(decodeRecord)) {
      if (record.kind !== 'arrival' || record.channel !== 'report') continue;
      const { session, seq } = JSON.parse(Buffer.from(record.payload).toString());
      const key = logKey({ user: terminalKey(record), session, seq });
      if (!logged.has(key)) logged.set(key, batch);
    }
  }
  return logged;
}

const sentReports = (count: number) => () => eventually(() => expect(fleet.reports.length).toBeGreaterThanOrEqual(count));

it('a broker acknowledges nothing before the log has it, however long the log takes', async () => {
  const disk = new MemoryLog();
  onTestFinished(() => disk.release());

  const { sent, early } = await earlyPubacks(disk, disk, async () => {
    await sentReports(20)();
    disk.hold();
    await sentReports(60)();
    expect(fleet.reports.filter(({ durableAtPuback }) => durableAtPuback === null).length).toBeGreaterThan(20);
    disk.release();
    await sentReports(120)();
  });

  expect(early).toEqual([]);
  expect(sent.filter(({ durableAtPuback }) => durableAtPuback !== null)).toHaveLength(120);
});

it('the check catches a PUBACK before the commit: a log that says "durable" while its sync is still under way', async () => {
  const disk = new MemoryLog();
  const hasty: LogWriter = {
    append(records) {
      void disk.append(records);
      return Promise.resolve({ batch: disk.batches.length + 1, index: 0 });
    },
    add(record, done) {
      disk.add(record, () => {});
      done();
    },
    close: () => disk.close(),
    stats: disk.stats,
  };
  onTestFinished(() => disk.release());

  const { sent, early } = await earlyPubacks(disk, hasty, async () => {
    await sentReports(20)();
    disk.hold();
    await sentReports(60)();
    await eventually(() => expect(fleet.reports.slice(0, 30).every(({ durableAtPuback }) => durableAtPuback !== null)).toBe(true));
    disk.release();
    await sentReports(120)();
  });

  expect(sent).toHaveLength(120);
  expect(early.length).toBeGreaterThan(20);
});
