import { describe, expect, it } from 'vitest';
import { partsToSay } from '../../../collector/owner/parts.ts';
import { DEFAULT_RULES } from '../../../watch/rules/defaults.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type Plant, type RunningOwner, T, withTerminal } from './harness.ts';

const RULES = DEFAULT_RULES['platform.blind'];
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** What is told of our own parts. */
const told = (p: Plant) =>
  p.announced().flatMap(({ at, transition, alert }) => (alert.type === 'platform.blind' ? [[at - T, transition, alert.reason]] : []));

/** Waits until the owner has said so much of our own parts. */
async function platformEntries(p: Plant, { owner }: RunningOwner, count: number) {
  await eventually(async () => expect((await said(p)).length).toBe(count), { every: 5 });
  await owner.submit(() => []);
}

const said = async (p: Plant) =>
  (await p.foldAgain()).entries.flatMap((entry) =>
    entry.kind === 'platform' ? [[entry.at - T, entry.platform.part, entry.platform.state]] : [],
  );

describe('what is to be said of our parts', () => {
  const nothing = () => false;
  const all = () => true;

  it('is nothing of what is well and was well, and of what is down and was said to be', () => {
    expect(partsToSay({ logIsFull: false, storeFailingMs: 0, unreadMs: 0 }, nothing, RULES)).toEqual([]);
    expect(partsToSay({ logIsFull: true, storeFailingMs: 10_000, unreadMs: 60_001 }, all, RULES)).toEqual([]);
  });

  it('is nothing of a part of which nothing is known, whatever was said', () => {
    expect(partsToSay({ unreadMs: 0 }, nothing, RULES)).toEqual([]);
    expect(partsToSay({ unreadMs: 60_001 }, all, RULES)).toEqual([]);
  });

  it.each([
    [{ logIsFull: true, unreadMs: 0 }, 'log'],
    [{ storeFailingMs: 10_000, unreadMs: 0 }, 'store'],
    [{ unreadMs: 60_001 }, 'collector'],
  ])('%j is a part that is down: the %s', (seen, part) => {
    expect(partsToSay(seen, nothing, RULES)).toEqual([{ part, state: 'down' }]);
  });

  it.each([
    [{ logIsFull: false, unreadMs: 60_001 }, 'log'],
    [{ storeFailingMs: 0, unreadMs: 60_001 }, 'store'],
    [{ unreadMs: 60_000 }, 'collector'],
  ])('%j is a part that is up again: the %s', (seen, part) => {
    expect(partsToSay(seen, all, RULES)).toEqual([{ part, state: 'up' }]);
  });

  it('is nothing of a store that fails since a moment ago: it is neither well nor dead', () => {
    expect(partsToSay({ storeFailingMs: 9_999, unreadMs: 0 }, nothing, RULES)).toEqual([]);
    expect(partsToSay({ storeFailingMs: 9_999, unreadMs: 60_001 }, all, RULES)).toEqual([]);
  });
});

describe('a dead store', () => {
  it('is told while it is dead, and hides no silent terminal', async () => {
    const { p, running } = await withTerminal();
    p.seen = { storeFailingMs: 20_000 };
    await p.live(running, 150);
    p.seen = { storeFailingMs: 0 };
    await p.live(running, 2);
    await running.stop();

    const [down, up] = told(p);
    expect([down?.slice(1), up?.slice(1)]).toEqual([
      ['fired', 'store'],
      ['resolved', 'store'],
    ]);
    expect(down![0]).toBeLessThanOrEqual(3 * SECOND_MS);
    expect(up![0]).toBeGreaterThan(150 * SECOND_MS);
    const offline = p.announced().filter(({ alert }) => alert.type === 'terminal.offline');
    expect(offline.map(({ at }) => at - T)).toEqual([SECOND_MS + 2 * MINUTE_MS]);
  });

  it('is told once, whatever its life outlasts of ours, and is over when a store is known to take points', async () => {
    const { p, running } = await withTerminal();
    p.seen = { storeFailingMs: 20_000 };
    await p.live(running, 3);
    await running.stop();

    p.seen = {};
    const again = await p.start();
    await p.live(again, 3);
    p.seen = { storeFailingMs: 3_000 };
    await p.live(again, 3);
    expect((await said(p)).map(([, part, state]) => [part, state])).toEqual([['store', 'down']]);
    p.seen = { storeFailingMs: 0 };
    await p.live(again, 3);
    await again.stop();

    expect(told(p).map(([, ...rest]) => rest)).toEqual([
      ['fired', 'store'],
      ['resolved', 'store'],
    ]);
  });
});

describe("a full brokers' log", () => {
  it('is told, by its own name, though the heartbeats end with it, and blinds until it is not full', async () => {
    const { p, running } = await withTerminal();
    p.seen = { logIsFull: true };
    await p.live(running, 2);
    for (let second = 0; second < 200; second++) {
      p.clock.pass(SECOND_MS);
      await running.owner.submit(() => []);
    }
    await platformEntries(p, running, 2);
    p.seen = { logIsFull: false };
    await p.live(running, 3);
    await running.stop();

    expect((await said(p)).map(([, part, state]) => [part, state])).toEqual([
      ['log', 'down'],
      ['broker', 'down'],
      ['log', 'up'],
      ['broker', 'up'],
    ]);
    expect(told(p).map(([, ...rest]) => rest)).toEqual([
      ['fired', 'log'],
      ['updated', 'log'],
      ['updated', 'broker'],
      ['resolved', 'broker'],
    ]);
    expect(p.announced().filter(({ alert }) => alert.type === 'terminal.offline')).toEqual([]);
  });
});

describe('a collector', () => {
  it('that finds more than a minute unread is late, from where it had come to until it has caught up', async () => {
    const { p, running } = await withTerminal();
    await running.stop();
    for (let second = 0; second < 100; second++) {
      p.clock.pass(SECOND_MS);
      await p.append(p.beat());
    }

    const back = await p.start();
    await p.live(back, 3);
    await back.stop();

    expect(told(p)[0]).toEqual([SECOND_MS, 'fired', 'collector']);
    expect(told(p)[1]!.slice(1)).toEqual(['resolved', 'collector']);
    expect(told(p)[1]![0]).toBeGreaterThanOrEqual(40 * SECOND_MS);
  });

  it('that finds less is not', async () => {
    const { p, running } = await withTerminal();
    await running.stop();
    for (let second = 0; second < 60; second++) {
      p.clock.pass(SECOND_MS);
      await p.append(p.beat());
    }

    const back = await p.start();
    await p.live(back, 3);
    await back.stop();

    expect(told(p)).toEqual([]);
  });

  it('that was away together with the broker is not late: there was nothing to read', async () => {
    const { p, running } = await withTerminal();
    await running.stop();
    p.clock.pass(60 * MINUTE_MS);

    const back = await p.start();
    await p.live(back, 2, { boot: 'b2' });
    await back.stop();

    expect(told(p).map(([, ...rest]) => rest)).toEqual([
      ['fired', 'broker'],
      ['resolved', 'broker'],
    ]);
  });
});

describe('a clock', () => {
  it.each([-40_000, 3_600_000])('that steps by %i ms is told, until the terminal has had an interval to be heard', async (ms) => {
    const { p, running } = await withTerminal();
    await p.live(running, 3);
    p.clock.wall += ms;
    await p.live(running, 130);
    await running.stop();

    const own = told(p).filter(([, transition]) => transition !== 'updated');
    expect(own.map(([, ...rest]) => rest)).toEqual([
      ['fired', 'clock'],
      ['resolved', 'clock'],
    ]);
    const step = (await p.foldAgain()).entries.find((entry) => entry.kind === 'platform' && entry.platform.state === 'step')!;
    expect(own[1]![0]).toBe(step.at - T + MINUTE_MS);
  });
});
