import { describe, expect, it } from 'vitest';
import { importEntries } from '../../../collector/import/entries.ts';
import { QUARANTINE, type Quarantined } from '../../../collector/owner/outputs.ts';
import { fromBytes } from '../../../collector/rows.ts';
import { eventually } from '../../helpers/eventually.ts';
import { birth, bound, Life, type Plant, plant, registry, report, T, withTerminal } from './harness.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** What is told of terminals. */
const told = (p: Plant) =>
  p.announced().flatMap(({ at, transition, alert }) => {
    const { terminal } = alert.subject;
    return terminal === null ? [] : [[at - T, transition, alert.type, terminal]];
  });

describe('order', () => {
  it('entries are durable before they are folded', async () => {
    const p = await plant();
    const life = new Life();
    const running = await p.start(life);
    await p.live(running, 1);
    const before = p.ownerWriter.stats.records;

    life.endAt(1);
    const submitted = running.owner.submit(bound());
    await life.ended;

    expect(running.owner.watch.state.terminals.size).toBe(0);
    expect(p.ownerWriter.stats.records).toBe(before);
    await expect(Promise.race([submitted, Promise.resolve('unanswered')])).resolves.toBe('unanswered');
  });

  it('a tick follows each heartbeat, and none runs ahead of the slowest broker', async () => {
    const p = await plant();
    const running = await p.start();
    await p.append(p.beat({ node: 'n1' }), p.beat({ node: 'n2' }));
    for (let second = 0; second < 4; second++) {
      p.clock.pass(1_000);
      await p.append(p.beat({ node: 'n2' }));
      await p.settled(running);
    }
    await running.stop();

    const { entries } = await p.foldAgain();

    let slowest = 0;
    const beats = new Map<string, number>();
    const ticks: number[] = [];
    for (const entry of entries) {
      if (entry.kind === 'heartbeat') beats.set(entry.node, entry.at);
      slowest = Math.min(...beats.values());
      if (entry.kind === 'tick') ticks.push(entry.at - slowest);
    }
    expect(ticks.length).toBeGreaterThanOrEqual(4);
    expect(ticks.every((ahead) => ahead <= 0)).toBe(true);
  });

  it('time stands still while a broker keeps it, whatever our own clock does', async () => {
    const { p, running } = await withTerminal();
    const before = running.owner.watch.now;

    p.clock.pass(4_900);
    await eventually(() => expect(p.clock.sleeping).toBeGreaterThan(0));
    await running.owner.submit(() => []);

    expect(running.owner.watch.now).toBe(before);
  });

  it('after a step back of the clock followers still see each second, and time goes on at half its pace', async () => {
    const { p, running } = await withTerminal();
    const before = running.owner.watch.now;
    p.clock.wall -= HOUR_MS;
    await p.live(running, 3);
    await p.append(p.message('report', report(p.clock.wall, 1)));
    await p.live(running, 1);
    await running.stop();

    const { entries } = await p.foldAgain();

    expect(entries.filter((entry) => entry.kind === 'platform').map(({ platform }) => platform)).toEqual([
      { part: 'clock', state: 'step', ms: -HOUR_MS, node: 'n1' },
    ]);
    const ticks = entries.filter((entry) => entry.kind === 'tick').map(({ at }) => at - before);
    expect(ticks.filter((at) => at > 0)).toEqual([500, 1_000, 1_500, 2_000]);
    expect(entries.at(-1)?.kind).toBe('tick');
    expect(entries.filter((entry) => entry.kind === 'message')).toHaveLength(2);
  });
});

it('gathers for a moment what comes after the first, and does at once what is asked for', async () => {
  const p = await plant();
  p.gatherMs = 50;
  const { owner } = await p.start();
  const gathering = () => eventually(() => expect(p.clock.sleeping).toBe(2), { every: 1 });
  const next = () => owner.position.brokers;

  await p.append(p.message('report', report(p.clock.wall, 1)));
  await gathering();
  await p.append(p.message('report', report(p.clock.wall, 2)));
  p.clock.pass(p.gatherMs - 1);
  expect(next()).toEqual({ batch: 1, index: 0 });
  p.clock.pass(1);
  await eventually(() => expect(next()).toEqual({ batch: 3, index: 0 }), { every: 1 });

  await p.append(p.message('report', report(p.clock.wall, 3)));
  await gathering();
  await owner.submit(() => []);
  expect(next()).toEqual({ batch: 4, index: 0 });
});

describe('whose silence it was', () => {
  it('heartbeats that a slow disk held back do not put time ahead of the clock', async () => {
    const { p, running } = await withTerminal();
    const late = [];
    for (let second = 0; second < 10; second++) {
      p.clock.pass(1_000);
      late.push(p.beat());
      await eventually(() => expect(p.clock.sleeping).toBeGreaterThan(0), { every: 1 });
      await running.owner.submit(() => []);
    }
    expect(running.owner.watch.now).toBe(p.clock.wall);

    for (const beat of late) {
      await p.append(beat);
      await p.settled(running);
    }

    expect(running.owner.watch.now).toBe(p.clock.wall);
  });

  it('a broker that falls silent is down since the last entry; then time goes on, and nobody is offline for it', async () => {
    const { p, running } = await withTerminal();
    for (let i = 0; i < 30 * 60; i += 2) {
      p.clock.pass(2_000);
      if (i < 20 || i % 300 === 0) {
        await eventually(() => expect(p.clock.sleeping).toBeGreaterThan(0), { every: 1 });
        await running.owner.submit(() => []);
      }
    }
    await eventually(() => expect(running.owner.watch.now).toBeGreaterThan(T + 29 * MINUTE_MS));
    await running.stop();

    const { entries } = await p.foldAgain();
    const down = entries.find((entry) => entry.kind === 'platform');

    expect(down).toEqual({ kind: 'platform', at: T + 1_000, platform: { part: 'broker', state: 'down', node: 'n1' } });
    expect(told(p)).toEqual([]);
    expect(running.owner.watch.presenceOf(running.owner.watch.state.terminals.get('acme/SN000001')!)).toBe('unknown');
  });

  it('the whole of it gone for two hours: nobody is offline for our absence, and who is really gone is told one interval after', async () => {
    const { p, running } = await withTerminal();
    await running.owner.submit(bound('SN000002'));
    await p.append(p.message('birth', birth(p.clock.wall), { sn: 'SN000002' }));
    await p.settled(running);
    await running.stop();
    p.clock.pass(2 * HOUR_MS);

    const back = await p.start();
    const upAt = p.clock.wall + 1_000 - T;
    await p.live(back, 30, { boot: 'b2' });
    await p.append(p.message('report', report(p.clock.wall, 1)));
    expect(told(p)).toEqual([]);
    await p.live(back, 40, { boot: 'b2' });
    await back.stop();

    expect(told(p)).toEqual([[upAt + MINUTE_MS, 'fired', 'terminal.offline', 'SN000002']]);
  });

  it('a crash of the whole of it tells the same as a clean stop', async () => {
    const { p } = await withTerminal();
    await p.crash();
    p.clock.pass(2 * HOUR_MS);

    const back = await p.start();
    await p.live(back, 70, { boot: 'b2' });
    await back.stop();

    expect(told(p)).toEqual([[2 * HOUR_MS + 2_000 + MINUTE_MS, 'fired', 'terminal.offline', 'SN000001']]);
  });

  it('the collector alone away for two hours blinds nobody, and finds who fell silent with the right time', async () => {
    const { p, running } = await withTerminal();
    await running.owner.submit(bound('SN000002'));
    await running.stop();
    for (let second = 0; second < 2 * 3_600; second++) {
      p.clock.pass(1_000);
      const heard = second % 60 === 0 ? [p.message('report', report(p.clock.wall, second), { sn: 'SN000002' })] : [];
      if (second % 10 === 0 || heard.length > 0) await p.append(...heard, p.beat());
      else void p.append(p.beat());
    }

    const back = await p.start();
    await p.live(back, 3);
    await back.stop();

    expect(told(p)).toEqual([
      [1_000 + 2 * MINUTE_MS, 'fired', 'terminal.offline', 'SN000001'],
      [1_000 + 2 * MINUTE_MS + HOUR_MS, 'updated', 'terminal.offline', 'SN000001'],
    ]);
    const { entries } = await p.foldAgain();
    expect(entries.flatMap((entry) => (entry.kind === 'platform' ? [entry.platform] : []))).toEqual([
      { part: 'collector', state: 'down' },
      { part: 'collector', state: 'up' },
    ]);
  });

  it('of two brokers one that dies while the collector is away blinds its own terminals, and the other goes on', async () => {
    const { p, running } = await withTerminal();
    await running.owner.submit((at) => [...bound('SN000002')(at), ...bound('SN000003')(at)]);
    for (const sn of ['SN000002', 'SN000003'])
      await p.append(p.message('birth', birth(p.clock.wall), { sn, node: 'n2' }), p.beat({ node: 'n2' }));
    await p.settled(running);
    await running.stop();
    for (let second = 1; second <= 600; second++) {
      p.clock.pass(1_000);
      const heard = second % 60 === 0 ? [p.message('report', report(p.clock.wall, second), { sn: 'SN000002', node: 'n2' })] : [];
      await p.append(...heard, p.beat({ node: 'n2' }));
    }

    const back = await p.start();
    await p.live(back, 1, { node: 'n2' });
    await back.stop();

    expect(told(p)).toEqual([[1_000 + 2 * MINUTE_MS, 'fired', 'terminal.offline', 'SN000003']]);
  });
});

describe('imports', () => {
  const changes = (n: number) =>
    Array.from({ length: n }, (_, i) => registry('terminals', { acquirer: 'acme', merchant: 'm-1', sn: `SN${100_000 + i}` }, 0)).flatMap(
      (entry) => (entry.kind === 'registry' ? [entry.change] : []),
    );

  it('of more rows than one append takes are one change, at one time', async () => {
    const p = await plant();
    const running = await p.start();
    await p.live(running, 1);

    await running.owner.submit((at) => importEntries(changes(2_500), 'i1', at));
    await p.live(running, 1);
    await running.stop();

    const { entries, watch } = await p.foldAgain();
    const rows = entries.filter((entry) => entry.kind === 'registry');
    expect(rows).toHaveLength(2_500);
    expect(new Set(rows.map(({ at }) => at)).size).toBe(1);
    expect(watch.state.merchants.get('acme/m-1')!.held).toBe(2_500);
  });

  it('that a crash cut off between rows and commit are none, after the restart and in every later fold', async () => {
    const p = await plant();
    const first = await p.start();
    await p.live(first, 1);
    await first.stop();
    const life = new Life();
    const running = await p.start(life);
    await p.live(running, 1);
    // The third append is the part with the last rows and the commit.
    life.endAt(3);
    void running.owner.submit((at) => importEntries(changes(2_500), 'i1', at));
    await life.ended;

    const back = await p.start();
    await p.live(back, 1);
    expect(back.owner.watch.state.merchants.size).toBe(0);
    await back.owner.submit((at) => importEntries(changes(2), 'i2', at));
    await p.live(back, 1);
    await back.stop();

    const { entries, watch } = await p.foldAgain();
    expect(entries.filter((entry) => entry.kind === 'registry')).toHaveLength(2_002);
    expect(watch.state.merchants.get('acme/m-1')!.held).toBe(2);
    expect(back.owner.watch.state.merchants.get('acme/m-1')!.held).toBe(2);
  });
});

describe('what cannot be read', () => {
  it('is kept with its reason, sender and bytes, beside its neighbours', async () => {
    const { p, running } = await withTerminal();
    const torn = { ...p.message('report', {}), payload: Buffer.from('{"v":1,') } as ReturnType<Plant['message']>;
    const refusal = { kind: 'refusal', at: p.clock.wall, node: 'n1', user: 'acme/SN000009', reason: 'bad_signature', detail: '' } as const;

    await p.append(torn, refusal, p.message('report', report(p.clock.wall, 7, { power: { battery: 0.5 } })));
    await p.live(running, 1);
    await running.stop();

    const kept = [...p.state.rows(QUARANTINE)].map(({ value }) => fromBytes<Quarantined>(value));
    expect(
      kept.map(({ from, channel, reason, raw }) => ({ from, channel, reason, raw: raw && Buffer.from(raw, 'base64').toString() })),
    ).toEqual(
      expect.arrayContaining([
        { from: 'acme/SN000001', channel: 'report', reason: 'bad_json', raw: '{"v":1,' },
        { from: 'acme/SN000009', channel: null, reason: 'bad_signature', raw: null },
      ]),
    );
    expect(kept).toHaveLength(2);
    expect(running.owner.watch.state.terminals.get('acme/SN000001')!.last).toMatchObject({ power: { battery: 0.5 } });
    expect(running.owner.watch.state.terminals.get('acme/SN000009')).toBeUndefined();
  });
});

describe('a terminal without a birth', () => {
  it('is asked for one, once its first message is saved, and not again within the hour', async () => {
    const p = await plant();
    const running = await p.start();
    await p.append(p.beat(), p.message('report', report(p.clock.wall, 1)));
    await p.live(running, 6);
    await p.append(p.message('report', report(p.clock.wall, 2)));
    await p.live(running, 6);
    await running.stop();

    expect(p.orders).toEqual(['acme/SN000001 rebirth']);
  });
});
