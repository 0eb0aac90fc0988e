import { describe, expect, it } from 'vitest';
import { openLmdbState } from '../../../backbone/lmdb.ts';
import { openMemoryState } from '../../../backbone/memory.ts';
import { type Change, StateError, type StateStore } from '../../../backbone/state.ts';
import { Patience } from '../../../collector/patience.ts';
import { Ledger } from '../../../collector/webhooks/ledger.ts';
import { eventually } from '../../helpers/eventually.ts';
import { lacksMounts, smallDisk } from '../../helpers/small-disk.ts';
import { HandClock } from '../owner/harness.ts';

const row = (key: string, text = key): Change => ({ table: 't', key, value: Buffer.from(text) });
const keysIn = (state: StateStore) => [...state.rows('t')].map(({ key }) => key);

function opened(state = openMemoryState()) {
  const clock = new HandClock();
  const said: string[] = [];
  const stop = new AbortController();
  const commits: string[][] = [];
  let error: StateError | null = null;
  const commit = state.commit.bind(state);
  state.commit = async (changes) => {
    commits.push(changes.map(({ key }) => key));
    if (error) throw error;
    await commit(changes);
  };
  const ledger = new Ledger(state, new Patience(clock, (line) => void said.push(line)), stop.signal);
  const failWith = (code: 'full' | 'broken' | null) => {
    error = code && new StateError(code);
  };
  return { state, ledger, commits, clock, said, stop, failWith };
}

describe('a write', () => {
  it('is in the state once it resolves', async () => {
    const { ledger, state } = opened();

    await ledger.write([row('a'), row('b')]);

    expect(keysIn(state)).toEqual(['a', 'b']);
  });

  it('shares its commit with the others that came while one was under way, in their order', async () => {
    const { ledger, commits } = opened();
    const first = ledger.write([row('a')]);
    await eventually(() => expect(commits).toHaveLength(1));

    await Promise.all([first, ...['b', 'c', 'd'].map((key) => ledger.write([row(key)]))]);

    expect(commits).toEqual([['a'], ['b', 'c', 'd']]);
  });

  it('of a row that another one wrote just before is the one that stays', async () => {
    const { ledger, state } = opened();

    await Promise.all([ledger.write([row('a', 'old')]), ledger.write([row('a', 'new')])]);

    expect(Buffer.from(state.get('t', 'a')!).toString()).toBe('new');
  });

  it('of nothing commits nothing, but waits for what was asked before', async () => {
    const { ledger, commits, state } = opened();
    void ledger.write([row('a')]);

    await ledger.write([]);
    await ledger.write([]);

    expect(commits).toEqual([['a']]);
    expect(keysIn(state)).toEqual(['a']);
  });
});

describe('while the disk is full', () => {
  it('a write waits, what comes meanwhile waits behind it, and all of it is made good', async () => {
    const { ledger, commits, clock, said, failWith, state } = opened();
    failWith('full');
    const first = ledger.write([row('a')]);
    for (const tries of [1, 2, 3]) {
      await eventually(() => expect([commits.length, clock.sleeping]).toEqual([tries, 1]));
      clock.pass(8_000);
    }
    await eventually(() => expect([commits.length, clock.sleeping]).toEqual([4, 1]));
    const second = ledger.write([row('b')]);
    failWith(null);
    clock.pass(8_000);

    await Promise.all([first, second]);

    expect(commits).toEqual([...Array(5).fill(['a']), ['b']]);
    expect(keysIn(state)).toEqual(['a', 'b']);
    expect(said).toEqual([expect.stringContaining('the disk is full'), expect.stringContaining('can be written again')]);
  });

  it('the end is not waited for: the write fails, and with it all that came after it', async () => {
    const { ledger, commits, clock, stop, failWith } = opened();
    failWith('full');
    const first = ledger.write([row('a')]);
    await eventually(() => expect([commits.length, clock.sleeping]).toEqual([1, 1]));
    const second = ledger.write([row('b')]);

    stop.abort();

    await expect(first).rejects.toMatchObject({ code: 'full' });
    await expect(second).rejects.toMatchObject({ code: 'full' });
    expect(commits.flat()).not.toContain('b');
  });

  it.skipIf(lacksMounts())('a real one, writes are made good once there is space', async () => {
    const disk = await smallDisk(8);
    const state = await openLmdbState(disk.path);
    const { ledger, commits, clock } = opened(state);
    await ledger.write([row('a')]);
    disk.fill();
    let settled = false;
    const written = ledger.write([row('b', 'x'.repeat(3_000_000))]).finally(() => {
      settled = true;
    });
    await eventually(() => expect([commits.length, clock.sleeping]).toEqual([2, 1]));
    expect(settled).toBe(false);

    disk.free();
    await eventually(() => {
      clock.pass(8_000);
      expect(settled).toBe(true);
    });
    await written;

    expect(keysIn(state)).toEqual(['a', 'b']);
    await state.close();
  });
});

it('a state that cannot be used any more fails the write and every later one: none may pass what went before it', async () => {
  const { ledger, commits, failWith } = opened();
  failWith('broken');
  const first = ledger.write([row('a')]);
  const second = ledger.write([row('b')]);
  await expect(first).rejects.toMatchObject({ code: 'broken' });
  await expect(second).rejects.toMatchObject({ code: 'broken' });
  failWith(null);

  await expect(ledger.write([row('c')])).rejects.toMatchObject({ code: 'broken' });

  expect(commits.flat()).not.toContain('c');
});
