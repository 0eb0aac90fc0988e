import { describe, expect, it } from 'vitest';
import { openLmdbState } from '../../../backbone/lmdb.ts';
import { LogError } from '../../../backbone/log.ts';
import { openMemoryState } from '../../../backbone/memory.ts';
import { StateError, type StateStore } from '../../../backbone/state.ts';
import { eventually } from '../../helpers/eventually.ts';
import { lacksMounts, smallDisk } from '../../helpers/small-disk.ts';
import { bound, type Plant, plant, registry, report, withTerminal } from './harness.ts';

/** Lets the owner try again until `done` holds. */
async function retried(p: Plant, done: () => void): Promise<void> {
  await eventually(
    () => {
      p.clock.pass(p.clock.sleeping > 0 ? 500 : 0);
      done();
    },
    { every: 1 },
  );
}

/** Takes nothing while it is full. */
function failing(state: StateStore) {
  const fault = { full: false, calls: 0 };
  const attempt = <T>(call: () => Promise<T>) => {
    fault.calls++;
    return fault.full ? Promise.reject(new StateError('full')) : call();
  };
  const wrapped: StateStore = {
    rows: (table, range) => state.rows(table, range),
    get: (table, key) => state.get(table, key),
    stage: (changes) => attempt(() => state.stage(changes)),
    commit: (changes) => attempt(() => state.commit(changes)),
    close: () => state.close(),
  };
  return { fault, wrapped };
}

const rowsOf = (state: StateStore, table: string) => [...state.rows(table)].map(({ value }) => Buffer.from(value).toString());

describe('while the disk is full', () => {
  it('a save waits with all its rows, is made good when there is space, and is spoken of twice', async () => {
    const { fault, wrapped } = failing(openMemoryState());
    const p = await plant(wrapped);
    const running = await p.start();
    await p.live(running, 7);
    await running.owner.submit(bound());
    fault.full = true;
    fault.calls = 0;
    await p.append(p.message('report', { v: 'bad' }), p.message('report', report(p.clock.wall, 1, { power: { battery: 0.25 } })));
    await p.live(running, 6);
    await retried(p, () => expect(fault.calls).toBeGreaterThan(3));
    await p.append(p.message('report', report(p.clock.wall, 2, { power: { battery: 0.5 } })), p.beat());
    await p.settled(running);
    const before = [rowsOf(wrapped, 'quarantine').length, p.patience.trouble, p.said.length];

    fault.full = false;
    await retried(p, () => expect(p.patience.trouble).toBeNull());
    await retried(p, () => expect(rowsOf(wrapped, 'quarantine')).toHaveLength(1));
    await p.crash();

    expect(before).toEqual([0, expect.stringMatching(/disk is full.*nothing is lost/), 1]);
    expect(p.said).toEqual([expect.stringMatching(/disk is full/), expect.stringMatching(/goes on/)]);
    const back = await p.start();
    await back.stop();
    const again = await p.foldAgain();
    expect(back.owner.watch.state.terminals.get('acme/SN000001')!.last).toMatchObject({ power: { battery: 0.5 } });
    expect([...back.owner.watch.state.terminals.values()]).toEqual([...again.watch.state.terminals.values()]);
    expect(p.outbox()).toHaveLength(again.rows.length);
  });

  it('what only the owner can say waits for its log, in order and each once; requests are refused with what to do', async () => {
    const p = await plant();
    const deps = p.deps();
    const appended: number[] = [];
    const { append } = deps.ownerLog.writer;
    let full = false;
    deps.ownerLog.writer.append = (records) => {
      if (full) return Promise.reject(new LogError('full'));
      appended.push(records.length);
      return append(records);
    };
    p.deps = () => deps;
    const running = await p.start();
    await p.live(running, 2);
    full = true;
    for (let i = 0; i < 3; i++) {
      p.clock.pass(1_000);
      await p.append(p.beat());
    }
    await eventually(() => expect(p.patience.trouble).toMatch(/log is full/));
    const refused = running.owner.submit(bound());
    const outcome = refused.catch((error: unknown) => error);
    await retried(p, () => expect(running.owner.watch.state.terminals.size).toBe(0));
    let answered = false;
    void outcome.then(() => {
      answered = true;
    });
    await retried(p, () => expect(answered).toBe(true));

    full = false;
    await retried(p, () => expect(p.patience.trouble).toBeNull());
    await p.settled(running);
    await running.owner.submit(bound());
    await p.live(running, 1);
    await running.stop();

    await expect(refused).rejects.toMatchObject({ code: 'full' });
    const { entries } = await p.foldAgain();
    const ticks = entries.flatMap((entry) => (entry.kind === 'tick' ? [entry.at] : []));
    expect(ticks).toEqual([...ticks].sort((a, b) => a - b));
    expect(entries.filter((entry) => entry.kind === 'registry')).toHaveLength(1);
    expect(entries.at(-1)).toEqual({ kind: 'tick', at: p.clock.wall });
  });

  it('a stop is not held up; what was not saved is folded again', async () => {
    const { fault, wrapped } = failing(openMemoryState());
    const p = await plant(wrapped);
    const running = await p.start();
    await p.live(running, 1);
    fault.full = true;
    await p.append(p.message('report', report(p.clock.wall, 1)));
    await p.live(running, 6);

    await expect(running.stop()).rejects.toMatchObject({ name: 'StateError', code: 'full' });
    fault.full = false;
    const back = await p.start();
    await p.live(back, 6);
    await back.stop();

    expect(back.owner.watch.state.terminals.size).toBe(1);
  });

  it('a request for a birth waits for the control log', async () => {
    const { p, running } = await withTerminal();
    const asked: string[] = [];
    let left = 3;
    await running.stop();
    const deps = p.deps();
    p.deps = () => ({
      ...deps,
      send: async ({ sn }) => {
        if (left-- > 0) throw new LogError('full');
        asked.push(sn);
      },
    });
    const again = await p.start();
    await p.append(p.message('report', report(p.clock.wall, 1), { sn: 'SN000007' }));
    await p.live(again, 6);

    await retried(p, () => expect(asked).toEqual(['SN000007']));
    await again.stop();
  });
});

const without = lacksMounts();

it.skipIf(without)(
  'a disk that is really full stops what is taken in, and nothing of what was is lost or doubled',
  async () => {
    const disk = await smallDisk(16);
    const p = await plant(await openLmdbState(`${disk.path}/state`), disk.path);
    const running = await p.start();
    await p.live(running, 1);
    const rows = (from: number) => (at: number) =>
      Array.from({ length: 500 }, (_, i) =>
        registry('terminals', { acquirer: 'acme', merchant: 'm-1', sn: `SN${100_000 + from + i}` }, at),
      );
    const outcomes: boolean[] = [];
    const ask = async () => {
      const accepted = await running.owner.submit(rows(outcomes.length * 500)).then(
        () => true,
        () => false,
      );
      outcomes.push(accepted);
      return accepted;
    };
    for (let i = 0; i < 3; i++) await ask();
    disk.fill();
    await eventually(async () => expect(await ask()).toBe(false), { within: 20_000 });
    p.clock.pass(6_000);
    await p.append(p.message('report', report(p.clock.wall, 1), { sn: 'SN100000' }), p.beat()).catch(() => {});
    await retried(p, () => expect(p.patience.trouble).not.toBeNull());
    const trouble = p.patience.trouble;

    disk.free();
    await retried(p, () => expect(p.patience.trouble).toBeNull());
    await eventually(async () => {
      p.clock.pass(1_000);
      await p.append(p.message('report', report(p.clock.wall, 2, { power: { battery: 0.5 } }), { sn: 'SN100000' }), p.beat());
    });
    await p.settled(running);
    expect(await eventually(async () => ((await ask()) ? true : Promise.reject(new Error('refused'))))).toBe(true);
    await p.live(running, 6);
    await running.stop();

    expect(trouble).toMatch(/full/);
    const { entries, watch, rows: said } = await p.foldAgain();
    const taken = outcomes.filter(Boolean).length;
    expect(entries.filter((entry) => entry.kind === 'registry')).toHaveLength(taken * 500);
    expect(watch.state.merchants.get('acme/m-1')!.held).toBe(taken * 500);
    expect(watch.state.terminals.get('acme/SN100000')!.last).toMatchObject({ power: { battery: 0.5 } });
    expect(p.outbox()).toEqual(said);
    const back = await p.start();
    expect(back.owner.watch.state.merchants.get('acme/m-1')).toEqual(watch.state.merchants.get('acme/m-1'));
    await back.stop();
  },
  60_000,
);
