import { describe, expect, it, onTestFinished } from 'vitest';
import { LogError, type LogReader } from '../../backbone/log.ts';
import { followControl } from '../../broker/control.ts';
import { type ControlEntry, encodeControl } from '../../protocol/control.ts';
import { eventually } from '../helpers/eventually.ts';
import { MemoryLog } from '../helpers/memory-log.ts';
import { START } from './harness.ts';

const revocation = (user: string): ControlEntry => ({ kind: 'revocation', at: START, user });

async function followed(change: (reader: LogReader, log: MemoryLog) => Partial<LogReader> = () => ({})) {
  const log = new MemoryLog();
  await log.append([encodeControl(revocation('a/0001'))]);
  await log.append([encodeControl(revocation('a/0002'))]);
  const taken: [string, boolean][] = [];
  const lines: string[] = [];
  const time = { at: 0 };
  const reader = log.reader();
  const follower = followControl({
    reader: { ...reader, ...change(reader, log) },
    uptime: () => time.at,
    take: (entry, live) => entry.kind === 'revocation' && taken.push([entry.user, live]),
    say: (line) => lines.push(line),
  });
  onTestFinished(() => follower.stop());
  return { log, taken, lines, time, follower };
}

describe('following the control log', () => {
  it('takes all of it first, and then what comes', async () => {
    const { log, taken, follower } = await followed();
    await follower.start();
    expect(taken).toEqual([
      ['a/0001', false],
      ['a/0002', false],
    ]);

    await log.append([encodeControl(revocation('a/0003'))]);

    await eventually(() => expect(taken.at(-1)).toEqual(['a/0003', true]));
  });

  it('goes on with what is left where retention removed the beginning', async () => {
    const { taken, follower } = await followed((reader) => ({
      first: async () => 2,
      read: (batch, maxBytes) => (batch < 2 ? Promise.reject(new LogError('gone')) : reader.read(batch, maxBytes)),
    }));

    await follower.start();

    expect(taken).toEqual([['a/0002', false]]);
  });

  it('takes new entries at the checks of each second where nothing tells of growth', async () => {
    const { log, taken, follower } = await followed(() => ({ grown: () => Promise.reject(new LogError('failed')) }));
    await follower.start();
    await log.append([encodeControl(revocation('a/0003'))]);
    expect(taken).toHaveLength(2);

    await follower.check();

    expect(taken.at(-1)).toEqual(['a/0003', true]);
  });

  it('is blind, and says so once, a minute after the log gave no answer any more', async () => {
    const state = { hangs: false };
    const { lines, time, follower } = await followed((reader) => ({
      read: (batch, maxBytes) => (state.hangs ? new Promise(() => {}) : reader.read(batch, maxBytes)),
    }));
    await follower.start();
    state.hangs = true;

    for (; time.at < 70_000; time.at += 1_000) void follower.check();

    expect(follower.following()).toBe(false);
    expect(follower.lagMs()).toBe(70_000);
    expect(lines).toEqual([expect.stringContaining('no answer')]);
  });
});
