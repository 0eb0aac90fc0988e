import { describe, expect, it } from 'vitest';
import { type Availability, ratioOf } from '../../../watch/fleet/availability.ts';
import { Watch } from '../../../watch/fold/watch.ts';
import {
  birth,
  DAY,
  entry,
  HOUR,
  type Line,
  MINUTE,
  MONDAY,
  merchant,
  platform,
  report,
  serial,
  terminal,
  tick,
  will,
} from '../support/log.ts';

const SN = serial(1);
const at = (hours: number, minutes = 0): number => MONDAY + hours * HOUR + minutes * MINUTE;

function availability(lines: readonly Line[]): Availability {
  const watch = new Watch();
  for (const line of [...lines].sort((a, b) => a.at - b.at)) watch.step(entry(line));
  return watch.state.terminals.get(`acme/${SN}`)!.availability!;
}

const born = (body: Record<string, unknown> = {}): Line[] => [terminal(MONDAY, SN), birth(MONDAY, { keepalive: 60, ...body })];
const talk = (from: number, to: number, seq = 1): Line[] =>
  Array.from({ length: Math.floor((to - from) / (4 * MINUTE)) + 1 }, (_, n) => report(from + n * 4 * MINUTE, seq + n));

describe('availability', () => {
  it('is whole while it talks', () => {
    const { present } = availability([...born(), ...talk(at(0), at(5)), tick(at(5, 10))]);

    expect(ratioOf(present)).toBe(1);
    expect(present.expectedMs).toBeGreaterThanOrEqual(4 * HOUR);
  });

  it('lacks the time from its last word until it is back', () => {
    const { present } = availability([...born(), ...talk(at(0), at(1)), ...talk(at(3), at(4), 100), tick(at(4))]);

    expect(present.expectedMs - present.connectedMs).toBe(2 * HOUR);
  });

  it('counts on while it is gone, and lacks nothing for a Will that was nothing', () => {
    const gone = availability([...born(), ...talk(at(0), at(1)), tick(at(7))]).present;
    const blip = availability([...born(), ...talk(at(0), at(1)), will(at(1, 1)), ...talk(at(1, 2), at(2), 100), tick(at(3))]).present;

    expect(gone.expectedMs - gone.connectedMs).toBeGreaterThanOrEqual(5 * HOUR);
    expect(ratioOf(blip)).toBeGreaterThan(0.5);
    expect(blip.connectedMs).toBeGreaterThanOrEqual(HOUR);
  });

  it('is of the hours in which it is expected', () => {
    const expected = { tz: 'UTC', week: Array(7).fill('09:00-10:00') };

    const { present } = availability([...born({ expected }), ...talk(at(0), at(9, 30)), tick(at(30))]);

    expect(present).toMatchObject({ expectedMs: HOUR, connectedMs: expect.closeTo(HOUR / 2, -6) });
  });

  it('leaves out when we were blind', () => {
    const blind = [platform(at(1), 'broker', 'down'), platform(at(3), 'broker', 'up')];

    const { present } = availability([...born(), ...talk(at(0), at(1)), ...blind, ...talk(at(3, 1), at(5), 100), tick(at(5))]);

    expect(ratioOf(present)).toBeGreaterThan(0.98);
    expect(present.expectedMs).toBeLessThan(3.1 * HOUR);
  });

  it('is told by month, of its merchant’s zone', () => {
    const days = Array.from({ length: 40 * 24 }, (_, n) => report(MONDAY + n * HOUR, n));
    const log = [merchant(MONDAY, { tz: 'Asia/Shanghai' }), ...born({ interval: 7200 }), ...days];

    const { present, before } = availability(log);

    expect([present.month, before!.month]).toEqual(['2025-12', '2025-11']);
    const december = Date.UTC(2025, 11, 1) - 8 * HOUR;
    expect(before!.expectedMs).toBe(december - MONDAY);
    expect(present.expectedMs).toBeGreaterThan(25 * DAY);
  });
});
