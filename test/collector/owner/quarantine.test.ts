import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openMemoryState } from '../../../backbone/memory.ts';
import type { StateStore } from '../../../backbone/state.ts';
import { QUARANTINE, type Quarantined } from '../../../collector/owner/outputs.ts';
import { type Bounds, type Kind, noTallies, Quarantine } from '../../../collector/owner/quarantine.ts';
import { eventually } from '../../helpers/eventually.ts';
import { plant, T } from './harness.ts';

const DAY_MS = 86_400_000;
const KEPT_MS = 30 * DAY_MS;
const MANY = Number.POSITIVE_INFINITY;
const KINDS: Kind[] = ['refusal', 'message', 'point'];

function row(n: number, more: Partial<Quarantined> = {}): Quarantined {
  const blank = { node: 'n1', from: 'acme/SN000001', channel: null, reason: 'bad_token', detail: '', raw: null };
  return { id: `${n}-0`, at: T + n, ...blank, ...more };
}

const countOf = (state: StateStore, table: string) => [...state.rows(table)].length;
const rowsIn = (state: StateStore) =>
  [...state.rows(QUARANTINE)].map(({ value }) => JSON.parse(Buffer.from(value).toString()) as Quarantined);

/** Limits that a test reaches soon. */
const bounds = (all: number, sender: number, bytes = MANY): Bounds =>
  Object.fromEntries(KINDS.map((kind) => [kind, { all: { rows: all, bytes }, sender: { rows: sender, bytes: bytes / 3 } }])) as Bounds;

/** A quarantine that is saved after each group of rows. */
function filled(of: Bounds, keptMs = KEPT_MS) {
  const state = openMemoryState();
  const quarantine = new Quarantine(state, keptMs, noTallies(), of);
  const save = (now: number, changes: ReturnType<Quarantine['add']> = []) => state.commit([...changes, ...quarantine.prune(now)]);
  return { state, quarantine, save };
}

describe('quarantine', () => {
  it('of refusals is bounded by their number, the oldest going first, and says how many went', async () => {
    const { state, quarantine, save } = filled(bounds(50, MANY));

    for (let n = 0; n < 200; n += 20) {
      await save(T + n, Array.from({ length: 20 }, (_, i) => quarantine.add(row(n + i), 'refusal')).flat());
    }
    await save(T + 200);

    expect(rowsIn(state).map(({ at }) => at - T)).toEqual(Array.from({ length: 50 }, (_, i) => 199 - i));
    for (const table of ['quarantine-refusal', 'quarantine-ids', 'quarantine-refusal-by-sender']) expect(countOf(state, table)).toBe(50);
    expect(quarantine.tallies.refusal).toEqual({ rows: 50, bytes: 0, dropped: { all: 150, sender: 0 } });
  });

  it('of messages is bounded by their bytes, and refusals push none of them out', async () => {
    const { state, quarantine, save } = filled({
      ...bounds(1_000, MANY),
      message: { all: { rows: MANY, bytes: 30_000 }, sender: { rows: MANY, bytes: MANY } },
    });
    const raw = Buffer.alloc(3_000).toString('base64');

    for (let n = 0; n < 100; n++) {
      await save(T + n, [...quarantine.add(row(n, { raw }), 'message'), ...quarantine.add(row(1_000 + n), 'refusal')]);
    }
    await save(T + 100);

    expect(countOf(state, 'quarantine-message')).toBe(10);
    expect(quarantine.tallies.message).toEqual({ rows: 10, bytes: 30_000, dropped: { all: 90, sender: 0 } });
  });

  it('of one sender is bounded by rows and by bytes: it pushes out its own, and nobody else', async () => {
    const { state, quarantine, save } = filled(bounds(1_000, 20, 90_000));
    const raw = Buffer.alloc(3_000).toString('base64');
    await save(T, [
      ...quarantine.add(row(1, { from: 'acme/SN0000012', raw: 'AAAA' }), 'message'),
      ...quarantine.add(row(2, { from: 'acme/SN00000', raw: 'AAAA' }), 'message'),
    ]);

    for (let n = 10; n < 200; n++) await save(T + n, quarantine.add(row(n, { raw: 'AAAA' }), 'message'));
    await save(T + 200);
    const many = rowsIn(state).length;
    for (let n = 200; n < 220; n++) await save(T + n, quarantine.add(row(n, { raw }), 'message'));
    await save(T + 220);

    const left = rowsIn(state).filter(({ from }) => from === 'acme/SN000001');
    expect(many).toBe(22);
    expect(left.map(({ at }) => at - T)).toEqual(Array.from({ length: 10 }, (_, i) => 219 - i));
    expect(rowsIn(state)).toHaveLength(12);
    expect(quarantine.tallies.message).toEqual({ rows: 12, bytes: 30_006, dropped: { all: 0, sender: 200 } });
  });

  it('ends after its time, whatever there is room for, a part at a save, and that is no drop', async () => {
    const { state, quarantine, save } = filled(bounds(MANY, MANY));
    await state.commit(Array.from({ length: 2_500 }, (_, n) => quarantine.add(row(n, { raw: 'AAAA' }), 'message')).flat());
    await save(T + KEPT_MS);
    const counts = [countOf(state, QUARANTINE)];

    for (let i = 0; i < 3; i++) {
      await save(T + KEPT_MS + 2_400);
      counts.push(countOf(state, QUARANTINE));
    }

    expect(counts).toEqual([2_500, 1_500, 500, 100]);
    expect(quarantine.tallies.message).toEqual({ rows: 100, bytes: 300, dropped: { all: 0, sender: 0 } });
  });

  it('of the owner is counted over restarts, crashes and entries that are folded again', async () => {
    const p = await plant();
    const refusal = () => ({ kind: 'refusal', at: p.clock.wall, node: 'n1', user: 'acme/x', reason: 'bad_token', detail: '' }) as const;
    const first = await p.start();
    await p.live(first, 1);
    await p.append(refusal(), refusal());
    await p.live(first, 6);
    await first.stop();
    const second = await p.start();
    await p.append(refusal(), refusal(), refusal());
    await p.live(second, 1);
    await p.crash();

    const third = await p.start();
    await p.live(third, 7);
    await eventually(() => expect(countOf(p.state, QUARANTINE)).toBe(5));
    await third.stop();

    const counted = { rows: 5, bytes: 0, dropped: { all: 0, sender: 0 } };
    expect(third.owner.quarantine.tallies.refusal).toEqual(counted);
    expect(JSON.parse(Buffer.from(p.state.get('owner', 'watch')!).toString()).quarantined.refusal).toEqual(counted);
    expect([...p.state.rows('quarantine-senders')].map(({ value }) => JSON.parse(Buffer.from(value).toString()))).toEqual([
      { rows: 5, bytes: 0 },
    ]);
  });
});

describe('a row that is replayed', () => {
  it('leaves at once for whoever asks, before it is saved and after, and only once', async () => {
    const { state, quarantine, save } = filled(bounds(MANY, MANY));
    await save(T, quarantine.add(row(1, { raw: 'AAAA' }), 'message'));
    const before = [quarantine.find('1-0')?.id, quarantine.replayedAt('1-0')];

    const changes = quarantine.leave('1-0', T + 9);
    const between = [quarantine.find('1-0'), quarantine.replayedAt('1-0'), quarantine.isLeaving('1-0'), quarantine.leave('1-0', T + 10)];
    await save(T + 10, changes);
    await save(T + 11);

    expect(before).toEqual(['1-0', undefined]);
    expect(between).toEqual([undefined, T + 9, true, []]);
    expect([quarantine.find('1-0'), quarantine.replayedAt('1-0'), quarantine.leave('1-0', T + 12)]).toEqual([undefined, T + 9, []]);
    expect([rowsIn(state), quarantine.tallies.message]).toEqual([[], { rows: 1, bytes: 0, dropped: { all: 0, sender: 0 } }]);
    await save(T + KEPT_MS + 2);
    expect([quarantine.replayedAt('1-0'), quarantine.tallies.message.rows]).toEqual([undefined, 0]);
    for (const table of ['quarantine-ids', 'quarantine-message', 'quarantine-message-by-sender', 'quarantine-senders'])
      expect(countOf(state, table)).toBe(0);
  });

  it('that is just being removed is not there any more', async () => {
    const { state, quarantine, save } = filled(bounds(MANY, MANY));
    await save(T, quarantine.add(row(1, { raw: 'AAAA' }), 'message'));

    const removal = quarantine.prune(T + KEPT_MS + 2);

    expect([quarantine.find('1-0'), quarantine.leave('1-0', T)]).toEqual([undefined, []]);
    await state.commit(removal);
    expect(quarantine.tallies.message).toEqual({ rows: 0, bytes: 0, dropped: { all: 0, sender: 0 } });
  });
});

it('whatever comes, leaves, ages and is saved when, rows, orders and counts agree, over restarts too', async () => {
  const deed = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('add' as const),
        sender: fc.integer({ min: 0, max: 3 }),
        bytes: fc.integer({ min: 0, max: 400 }),
        kind: fc.constantFrom(...KINDS),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat(40) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('save' as const), passed: fc.constantFrom(0, 10, 400) }) },
    { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 80 }), async (deeds) => {
      const of = bounds(12, 5, 3_000);
      const state = openMemoryState();
      let [quarantine, changes, now, next] = [new Quarantine(state, 500, noTallies(), of), [] as ReturnType<Quarantine['add']>, T, 0];
      let tallies = JSON.stringify(noTallies());
      const save = async () => {
        await state.commit([...changes.splice(0), ...quarantine.prune(now)]);
        tallies = JSON.stringify(quarantine.tallies);
      };
      for (const one of deeds) {
        if (one.do === 'add') {
          const raw = Buffer.alloc(one.bytes).toString('base64');
          changes.push(...quarantine.add(row(next++, { at: now, from: `a/${'1'.repeat(one.sender)}`, raw }), one.kind));
        } else if (one.do === 'leave') changes.push(...quarantine.leave(`${one.which}-0`, now));
        else if (one.do === 'save') {
          now += one.passed;
          await save();
        } else {
          changes = [];
          quarantine = new Quarantine(state, 500, JSON.parse(tallies), of);
        }
      }
      for (let i = 0; i < 3; i++) await save();

      const ids = [...state.rows('quarantine-ids')].map(({ key, value }) => ({ id: key, ...JSON.parse(Buffer.from(value).toString()) }));
      const present = ids.filter(({ replayedAt }) => replayedAt === undefined);
      expect(
        rowsIn(state)
          .map(({ id }) => id)
          .sort(),
      ).toEqual(present.map(({ id }) => id).sort());
      for (const kind of KINDS) {
        const own = ids.filter((filed) => filed.kind === kind);
        const bytes = own.reduce((sum, filed) => sum + filed.bytes, 0);
        expect(quarantine.tallies[kind]).toMatchObject({ rows: own.length, bytes });
        expect([countOf(state, `quarantine-${kind}`), countOf(state, `quarantine-${kind}-by-sender`)]).toEqual([own.length, own.length]);
        expect(own.length <= 12 && bytes <= 3_000).toBe(true);
        for (const from of new Set(own.map((filed) => filed.from))) {
          const theirs = own.filter((filed) => filed.from === from);
          const tally = { rows: theirs.length, bytes: theirs.reduce((sum, filed) => sum + filed.bytes, 0) };
          expect(JSON.parse(Buffer.from(state.get('quarantine-senders', `${kind}"${from}"`)!).toString())).toEqual(tally);
        }
      }
    }),
    { seed: 30, numRuns: 200 },
  );
});
