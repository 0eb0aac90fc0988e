import { describe, expect, it } from 'vitest';
import { nextTick, noteHeartbeat, notePlatformEntry, noteSilence, type Pulse, pulseTime } from '../../../collector/owner/pulse.ts';
import type { HeartbeatEntry, PlatformEntry } from '../../../protocol/entries.ts';

const T = 1_763_798_400_000;
const HOUR_MS = 3_600_000;

/** A heartbeat `ms` after the start of time, of a process that began at `since`, whose wall clock is off by `stepped`. */
function beat(ms: number, { node = 'a', boot = 'b1', since = 0, stepped = 0 } = {}): HeartbeatEntry {
  return { kind: 'heartbeat', at: T + ms + stepped, node, boot, uptime: ms - since };
}

const brief = (entries: PlatformEntry[]) =>
  entries.map(({ at, platform }) => [
    at - T,
    platform.part,
    platform.state === 'step' ? platform.ms : platform.state,
    platform.node ?? 'every node',
  ]);

/** Beats each second up to and with `untilMs`. */
function living(untilMs: number, nodes = ['a']): Pulse {
  const pulse: Pulse = {};
  for (let ms = 0; ms <= untilMs; ms += 1_000) for (const node of nodes) noteHeartbeat(pulse, beat(ms, { node }), T + ms);
  return pulse;
}

describe('a heartbeat', () => {
  it('says nothing while it comes each second, nor the first time', () => {
    const pulse: Pulse = {};

    expect(noteHeartbeat(pulse, beat(0), 0)).toEqual([]);
    expect(noteHeartbeat(pulse, beat(1_000), T)).toEqual([]);
    expect(pulseTime(pulse)).toBe(T + 1_000);
  });

  it('says nothing after a pause of five seconds, which is not yet longer than five seconds', () => {
    expect(noteHeartbeat(living(10_000), beat(15_000), T + 10_400)).toEqual([]);
  });

  it('after a longer pause tells of a broker that was down from the last entry on, and is up now', () => {
    const said = noteHeartbeat(living(10_000), beat(15_001), T + 10_400);

    expect(brief(said)).toEqual([
      [10_400, 'broker', 'down', 'a'],
      [15_001, 'broker', 'up', 'a'],
    ]);
  });

  it('of a broker that was said to be down tells of its clock, too, where that has stepped meanwhile', () => {
    const pulse = living(10_000);
    noteSilence(pulse, () => 6_000, T + 10_000);

    expect(brief(noteHeartbeat(pulse, beat(17_000, { stepped: -HOUR_MS }), T + 12_000))).toEqual([
      [12_000, 'clock', -HOUR_MS, 'a'],
      [17_000 - HOUR_MS, 'broker', 'up', 'a'],
    ]);
  });

  it('of a new process tells of the hours that the old one was gone, for a new uptime says nothing of the clock', () => {
    const said = noteHeartbeat(living(10_000), beat(2 * HOUR_MS, { boot: 'b2', since: 2 * HOUR_MS }), T + 10_000);

    expect(brief(said)).toEqual([
      [10_000, 'broker', 'down', 'a'],
      [2 * HOUR_MS, 'broker', 'up', 'a'],
    ]);
  });

  it('of a node with a new name takes the place of one that fell silent before it came, so that nobody stays unknown', () => {
    const pulse = living(10_000);

    const said = noteHeartbeat(pulse, beat(60_000, { node: 'a2', boot: 'b2', since: 60_000 }), T + 10_000);

    expect(brief(said)).toEqual([
      [10_000, 'broker', 'down', 'a'],
      [60_000, 'broker', 'up', 'a'],
    ]);
    expect(Object.keys(pulse)).toEqual(['a2']);
  });

  it('of a node with a new name that came at once takes its place when the old one is told to be down', () => {
    const pulse = living(10_000);
    noteHeartbeat(pulse, beat(11_000, { node: 'a2', boot: 'b2' }), T + 10_000);

    const said = noteHeartbeat(pulse, beat(16_000, { node: 'a2', boot: 'b2' }), T + 11_000);

    expect(brief(said)).toEqual([
      [11_000, 'broker', 'down', 'a'],
      [16_000, 'broker', 'up', 'a'],
    ]);
  });

  it('of a process that was frozen tells the same: both of its clocks went on', () => {
    const said = noteHeartbeat(living(10_000), beat(70_000), T + 10_000);

    expect(brief(said)).toEqual([
      [10_000, 'broker', 'down', 'a'],
      [70_000, 'broker', 'up', 'a'],
    ]);
  });

  it('whose clock stepped ahead tells of a time that nobody lived through, and by how much it stepped', () => {
    const said = noteHeartbeat(living(10_000), beat(11_000, { stepped: 40_000 }), T + 10_500);

    expect(brief(said)).toEqual([
      [10_500, 'clock', 'down', 'a'],
      [51_000, 'clock', 40_000, 'a'],
    ]);
  });

  it('whose clock stepped back tells so at the time that had been reached', () => {
    const said = noteHeartbeat(living(10_000), beat(11_000, { stepped: -HOUR_MS }), T + 10_500);

    expect(brief(said)).toEqual([[10_500, 'clock', -HOUR_MS, 'a']]);
  });

  it('tells of a step once: the next heartbeat is measured against the new clock', () => {
    const pulse = living(10_000);
    noteHeartbeat(pulse, beat(11_000, { stepped: -HOUR_MS }), T + 10_500);

    expect(noteHeartbeat(pulse, beat(12_000, { stepped: -HOUR_MS }), T + 10_500)).toEqual([]);
  });

  it('of a node whose clock is put right little by little tells nothing', () => {
    expect(noteHeartbeat(living(10_000), beat(11_000, { stepped: -5_000 }), T + 10_500)).toEqual([]);
  });
});

describe('silence', () => {
  it('is noticed while it lasts: the broker is down since the last entry, and then no longer bounds time', () => {
    const pulse = living(10_000);

    expect(noteSilence(pulse, () => 5_000, T + 10_300)).toEqual([]);
    expect(brief(noteSilence(pulse, () => 5_001, T + 10_300))).toEqual([[10_300, 'broker', 'down', 'a']]);
    expect(pulseTime(pulse)).toBeUndefined();
  });

  it('is told once, and ends with the next heartbeat', () => {
    const pulse = living(10_000);
    noteSilence(pulse, () => 6_000, T + 10_300);

    expect(noteSilence(pulse, () => 9_000, T + 13_000)).toEqual([]);
    expect(brief(noteHeartbeat(pulse, beat(20_000, { boot: 'b2' }), T + 19_000))).toEqual([[20_000, 'broker', 'up', 'a']]);
  });

  it('that an earlier life of the owner told is not told again', () => {
    const pulse = living(10_000);
    notePlatformEntry(pulse, { kind: 'platform', at: T + 10_300, platform: { part: 'broker', state: 'down', node: 'a' } });

    expect(noteSilence(pulse, () => 60_000, T + 10_300)).toEqual([]);
    expect(brief(noteHeartbeat(pulse, beat(90_000), T + 89_000))).toEqual([[90_000, 'broker', 'up', 'a']]);
  });

  it('of a clock or of a node that nobody heard of changes no pulse', () => {
    const pulse = living(10_000);
    const before = structuredClone(pulse);
    notePlatformEntry(pulse, { kind: 'platform', at: T, platform: { part: 'clock', state: 'down', node: 'a' } });
    notePlatformEntry(pulse, { kind: 'platform', at: T, platform: { part: 'broker', state: 'down', node: 'z' } });
    notePlatformEntry(pulse, { kind: 'platform', at: T, platform: { part: 'broker', state: 'down' } });

    expect(pulse).toEqual(before);
  });
});

describe('of two nodes', () => {
  it('the slower one says how far time may go', () => {
    const pulse = living(10_000, ['a', 'b']);
    noteHeartbeat(pulse, beat(11_000, { node: 'b' }), T + 10_000);

    expect(pulseTime(pulse)).toBe(T + 10_000);
  });

  it('only the one that fell silent is down, and the other bounds time alone', () => {
    const pulse = living(10_000, ['a', 'b']);
    noteHeartbeat(pulse, beat(12_000, { node: 'b' }), T + 10_000);

    const said = noteSilence(pulse, (node) => (node === 'a' ? 5_500 : 500), T + 12_000);

    expect(brief(said)).toEqual([[12_000, 'broker', 'down', 'a']]);
    expect(pulseTime(pulse)).toBe(T + 12_000);
  });

  it('one that fell silent in a backlog is down before the other moves time on', () => {
    const pulse = living(10_000, ['a', 'b']);
    const said = [];
    for (let ms = 11_000; ms <= 20_000; ms += 1_000) said.push(...noteHeartbeat(pulse, beat(ms, { node: 'b' }), T + ms - 1_000));

    expect(brief(said)).toEqual([[15_000, 'broker', 'down', 'a']]);
  });

  it('both are down where everything was gone for hours, whichever comes back first', () => {
    const pulse = living(10_000, ['a', 'b']);

    const said = noteHeartbeat(pulse, beat(2 * HOUR_MS, { node: 'b', boot: 'b2' }), T + 10_900);

    expect(brief(said)).toEqual([
      [10_900, 'broker', 'down', 'a'],
      [10_900, 'broker', 'down', 'b'],
      [2 * HOUR_MS, 'broker', 'up', 'b'],
    ]);
  });

  it('clocks that differ by a minute make nobody silent, once time has come to the faster one', () => {
    const pulse: Pulse = {};
    const said: PlatformEntry[] = [];
    let lastAt = 0;
    for (let ms = 0; ms <= 60_000; ms += 1_000) {
      for (const [node, stepped] of [
        ['a', 0],
        ['b', 60_000],
      ] as const) {
        const heartbeat = beat(ms, { node, stepped });
        said.push(...noteHeartbeat(pulse, heartbeat, lastAt));
        lastAt = Math.max(lastAt, heartbeat.at);
      }
    }

    expect(brief(said)).toEqual([
      [0, 'broker', 'down', 'a'],
      [60_000, 'broker', 'up', 'a'],
    ]);
  });
});

describe('the next tick', () => {
  it('is at the slowest broker that is up', () => {
    const pulse = living(10_000, ['a', 'b']);
    noteHeartbeat(pulse, beat(11_000, { node: 'b' }), T + 10_000);

    expect(nextTick(pulse, T + 10_000)).toBe(T + 10_000);
  });

  it('goes on at half its pace while clocks that were put back are behind the log, until they meet', () => {
    const pulse = living(10_000);
    const ticks: number[] = [];
    let now = T + 10_000;
    nextTick(pulse, now);
    for (let ms = 11_000; ms <= 40_000; ms += 1_000) {
      noteHeartbeat(pulse, beat(ms, { stepped: -10_000 }), now);
      now = Math.max(now, nextTick(pulse, now)!);
      ticks.push(now - T);
    }

    expect(ticks.slice(0, 4)).toEqual([10_500, 11_000, 11_500, 12_000]);
    expect(ticks.at(-1)).toBe(30_000);
    expect(ticks).toEqual(ticks.toSorted((a, b) => a - b));
  });

  it('is nowhere while no broker is up', () => {
    const pulse = living(10_000);
    noteSilence(pulse, () => 6_000, T + 10_000);

    expect(nextTick(pulse, T + 10_000)).toBeUndefined();
  });
});

describe('an extra broker', () => {
  it('does not take the place of a dead one while others live', () => {
    const pulse = living(10_000, ['a', 'b']);
    for (let ms = 11_000; ms <= 20_000; ms += 1_000) noteHeartbeat(pulse, beat(ms, { node: 'b' }), T + ms);

    const said = noteHeartbeat(pulse, beat(21_000, { node: 'c' }), T + 20_000);

    expect(brief(said)).toEqual([]);
    expect(Object.keys(pulse).sort()).toEqual(['a', 'b', 'c']);
  });
});
