/**
 * A small fleet's last ten minutes in a real InfluxDB, by the product's own path: messages in the brokers' log, folded by the real
 * owner, written by the real feed. Time is moved by hand, and ends now: InfluxDB has a clock of its own.
 */

import { openInfluxStore } from '../../../collector/store/influx.ts';
import { lookUp } from '../../../protocol/response-codes.ts';
import { startFeed } from '../../collector/feed/harness.ts';
import { birth, type Plant, plant, type RunningOwner, registry, report } from '../../collector/owner/harness.ts';
import type { Influx } from '../../helpers/influx.ts';
import { FOR_EVER } from '../../helpers/store.ts';

const MINUTES = 12;
/** Brokers that are not heard for more than 5 s count as down. */
const BEAT_MS = 4_000;

interface Member {
  acquirer: string;
  sn: string;
  merchant: string;
  /** The minute after which it says nothing more, and the one in which it does again. */
  silent?: [from: number, until: number];
  /** The merchant that it is bound to from half-time on. */
  movesTo?: string;
}

/**
 * Of each acquirer, the first terminal is one of a merchant near its limit, another falls silent for good, one for a while, and the
 * last moves to another merchant, falls silent there, and is back. A third acquirer has one terminal, of which nothing is known.
 */
const STORIES: Readonly<Record<number, Pick<Member, 'silent' | 'movesTo'>>> = {
  1: { silent: [3, MINUTES] },
  2: { silent: [2, 7] },
  5: { movesTo: 'm-3', silent: [7, 10] },
};
const FLEET: readonly Member[] = ['acme', 'north'].flatMap((acquirer) =>
  Array.from({ length: 6 }, (_, i) => ({
    acquirer,
    sn: `SN00000${i + 1}`,
    merchant: i < 4 ? 'm-1' : 'm-2',
    ...(STORIES[i] ?? {}),
  })),
);

function classOf(system: string, code: string): string {
  const found = lookUp(system, code);
  return found.known ? found.failureClass : 'unknown';
}

/** Errors: rejects where InfluxDB has not taken everything within ten seconds. */
export async function fillWithFleet({ url, token, org, bucket }: Influx): Promise<void> {
  const p = await plant();
  p.clock.wall = Date.now() - MINUTES * 60_000;
  const running = await p.start();
  await p.live(running, 1);
  await running.owner.submit((at) => rows(at));
  await p.append(...FLEET.map(({ acquirer, sn }) => p.message('birth', born(p.clock.wall), { acquirer, sn })));
  for (let minute = 0; minute < MINUTES; minute++) {
    if (minute === MINUTES / 2) await running.owner.submit((at) => moves(at));
    await playMinute(p, running, minute);
  }
  // The owner saves what it has said within some seconds.
  await p.live(running, 7);
  const feed = startFeed(p, openInfluxStore({ url, token, org, bucket, kept: FOR_EVER, say: () => {} }), { classOf });
  await feed.caughtUp();
  await feed.stop();
}

function rows(at: number) {
  const merchants = ['acme', 'north'].flatMap((acquirer) => [
    registry('merchants', { acquirer, merchant: 'm-1', terminal_limit: 5 }, at),
    registry('merchants', { acquirer, merchant: 'm-2', terminal_limit: 20 }, at),
    registry('merchants', { acquirer, merchant: 'm-3' }, at),
  ]);
  const terminals = FLEET.map(({ acquirer, sn, merchant }) =>
    registry('terminals', { acquirer, merchant, site: `s-${merchant}`, sn, model: 'A920' }, at),
  );
  return [...merchants, ...terminals];
}

function moves(at: number) {
  return FLEET.flatMap(({ acquirer, sn, movesTo: merchant }) =>
    merchant === undefined ? [] : [registry('terminals', { acquirer, merchant, sn, model: 'A920' }, at)],
  );
}

function born(at: number) {
  return birth(at, { app: '3.4.1' });
}

async function playMinute(p: Plant, running: RunningOwner, minute: number): Promise<void> {
  const talking = FLEET.filter(({ silent }) => !silent || minute < silent[0] || minute >= silent[1]);
  await p.append(...talking.map(({ acquirer, sn }) => p.message('report', report(p.clock.wall, minute, sample(minute)), { acquirer, sn })));
  await p.append(
    p.message('report', report(p.clock.wall, minute, { signal: { rat: 'lte', rsrp: -99 } }), { acquirer: 'strange', sn: 'SN000009' }),
  );
  for (let passed = 0; passed < 60_000; passed += BEAT_MS) {
    p.clock.pass(BEAT_MS);
    await p.append(p.beat());
    await p.settled(running);
  }
}

function sample(minute: number) {
  return {
    signal: { rat: 'lte', rsrp: -91 - (minute % 3), rsrq: -11, sinr: 8, rssi: -71, mcc: '460', mnc: '00', lac: '9cba', cell: '76c6c' },
    radio: { seconds: 60, reads: 60, rsrpMin: -112, rsrqMedian: -11, sinrP10: 1, risk: 0.08 },
    bindings: { terminals: { bound: 4, limit: 5 }, peripherals: { bound: 3, limit: 4 } },
    outcomes: [
      { system: 'unionpay', code: '00', n: 12, card: 'debit', kind: 'sale' },
      { system: 'unionpay', code: '51', n: 1, card: 'credit', kind: 'sale' },
      { system: 'local', code: 'timeout', n: 1 },
    ],
    sim: { usedBytes: 1_200_000 + 1000 * minute },
    power: { battery: 0.83, mains: minute % 2 === 0 },
    link: { reconnects: minute % 2, registrations: 1, connectedSeconds: 58 },
  };
}
