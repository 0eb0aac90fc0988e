import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommandRecord } from '../../../watch/fleet/commands.ts';
import type { Output } from '../../../watch/fold/output.ts';
import { Watch } from '../../../watch/fold/watch.ts';
import { Disk, save } from '../support/disk.ts';
import {
  ack,
  birth,
  command,
  DAY,
  entry,
  goodbye,
  HOUR,
  type Line,
  MINUTE,
  MONDAY,
  report,
  SECOND,
  SEED,
  tick,
  will,
} from '../support/log.ts';

/** What the watch says of these lines, and at which time it was said. */
function outputs(lines: readonly Line[], watch = new Watch()): (Output & { at: number })[] {
  return lines.map((line) => ({ ...watch.step(entry(line)), at: watch.now }));
}

/** The ids of the commands that are sent, with their times in seconds. */
function sent(lines: readonly Line[]): string[] {
  const orders = outputs(lines).flatMap(({ orders, at }) => orders.map((order) => ({ ...order, at })));
  return orders.filter((order) => order.command.type !== 'rebirth').map((order) => `${(order.at - MONDAY) / SECOND} ${order.command.id}`);
}

/** What became of a command in the end. */
function ending(lines: readonly Line[], id = 'c1'): CommandRecord | undefined {
  return outputs(lines)
    .flatMap(({ commands }) => commands)
    .findLast((record) => record.command.id === id);
}

const at = (seconds: number) => MONDAY + seconds * SECOND;
const born = birth(MONDAY);

describe('a command', () => {
  it('is sent at once to a terminal that is connected', () => {
    expect(sent([born, command(at(1), 'c1')])).toEqual(['1 c1']);
  });

  it.each([
    ['never heard', []],
    ['lost', [born, will(at(0))]],
    ['gone with a goodbye', [born, goodbye(at(0))]],
    ['offline', [born, tick(MONDAY + DAY)]],
  ])('to a terminal that is %s waits for its next birth', (_, lines) => {
    const from = lines.at(-1)?.at ?? MONDAY;
    const given = [...lines, command(from, 'c1', { expires: from + DAY })];

    expect(ending([...given, tick(from + HOUR)])).toMatchObject({ state: 'waiting', sentAt: null });
    expect(ending([...given, birth(from + HOUR, {}, { session: 's2' })])).toMatchObject({ state: 'sent', sentAt: from + HOUR });
  });

  it('waits also where something else than a birth is heard first: then it is not known who listens', () => {
    expect(sent([born, will(at(1)), command(at(2), 'c1'), report(at(3), 1), birth(at(4), {}, { session: 's2' })])).toEqual(['4 c1']);
  });

  it('is sent again until it is acknowledged, more and more rarely, and at each birth', () => {
    const ticks = Array.from({ length: 200 }, (_, n) => tick(at(2 + n)));

    expect(sent([born, command(at(1), 'c1'), ...ticks])).toEqual(['1 c1', '12 c1', '32 c1', '72 c1', '152 c1']);
    expect(sent([born, command(at(1), 'c1'), ...ticks.slice(0, 40), birth(at(50)), ...ticks.slice(50, 70), ack(at(72), 'c1')])).toEqual([
      '1 c1',
      '12 c1',
      '32 c1',
      '50 c1',
      '61 c1',
    ]);
  });

  it('is not sent again to one that is gone, and goes on where it is heard again', () => {
    const ticks = Array.from({ length: 60 }, (_, n) => tick(at(3 + n)));

    expect(sent([born, command(at(1), 'c1'), will(at(2)), ...ticks, report(at(63), 1), tick(at(64))])).toEqual(['1 c1', '64 c1']);
  });

  it.each([
    ['done', { ok: true }, null],
    ['failed', { ok: false, error: 'no paper' }, 'no paper'],
    ['refused', { ok: false, error: 'not supported' }, 'not supported'],
  ])('is %s as its ack says', (state, body, error) => {
    expect(ending([born, command(at(1), 'c1'), ack(at(2), 'c1', body)])).toMatchObject({ state, error, endedAt: at(2), lateAck: null });
  });

  it('that expired has that outcome, and shows the ack that came after all', () => {
    const expired = [born, command(at(1), 'c1', { expires: at(60) }), tick(at(61))];

    expect(ending(expired)).toMatchObject({ state: 'expired', endedAt: at(60), lateAck: null });
    expect(ending([...expired, ack(at(90), 'c1')])).toMatchObject({ state: 'expired', endedAt: at(60), lateAck: { at: at(90), ok: true } });
    expect(outputs([...expired, ack(at(90), 'c1'), ack(at(91), 'c1')]).at(-1)!.commands).toEqual([]);
  });

  it('has expired at the very millisecond that it says', () => {
    const given = [born, command(at(1), 'c1', { expires: at(60) })];

    expect(ending([...given, ack(at(60) - 1, 'c1')])!.state).toBe('done');
    expect(ending([...given, ack(at(60), 'c1')])).toMatchObject({ state: 'expired', lateAck: { at: at(60) } });
    expect(ending([born, command(at(1), 'c1', { expires: at(1) })])).toMatchObject({ state: 'expired', sentAt: null });
  });

  it('is not ended by the ack of another terminal, nor by one of another id', () => {
    expect(ending([born, command(at(1), 'c1'), ack(at(2), 'c1', {}, { sn: 'SN000002' }), ack(at(3), 'c2')])!.state).toBe('sent');
  });

  it('under an id that is open already changes nothing', () => {
    const again = command(at(2), 'c1', { expires: at(3) });

    expect(outputs([born, command(at(1), 'c1'), again]).at(-1)!.commands).toEqual([]);
  });

  it('is counted by its outcome', () => {
    const watch = new Watch();
    const commands = ['c1', 'c2', 'c3', 'c4'].map((id) => command(at(1), id, { expires: at(9) }));
    outputs(
      [born, ...commands, ack(at(2), 'c1'), ack(at(2), 'c1'), ack(at(2), 'c2', { ok: false }), tick(at(10)), ack(at(11), 'c3')],
      watch,
    );

    const counts = [...watch.decisions].filter(([what]) => what.startsWith('command'));
    expect(Object.fromEntries(counts)).toEqual({
      'command given': 4,
      'command done': 1,
      'command failed': 1,
      'command expired': 2,
      'command unknown_ack': 1,
      'command late_ack': 1,
    });
  });

  it('leaves nothing behind a week after it expired', () => {
    const watch = new Watch();
    outputs([born, command(at(1), 'c1', { expires: at(60) }), tick(at(61) + 7 * DAY)], watch);

    expect(watch.state.commands.size).toBe(0);
  });

  it('keeps no more than a hundred that expired in memory', () => {
    const watch = new Watch();
    outputs([born, ...Array.from({ length: 300 }, (_, n) => command(at(n), `c${n}`, { expires: at(n) + 1 })), tick(at(400))], watch);

    expect(watch.state.commands.get('acme/SN000001')!.list).toHaveLength(100);
  });
});

type Step = {
  wait: number;
  what: 'command' | 'ack' | 'nack' | 'birth' | 'report' | 'will' | 'goodbye' | 'tick' | 'restart';
  id: string;
  lasts: number;
};

const step: fc.Arbitrary<Step> = fc.record({
  wait: fc.constantFrom(0, 1, 5 * SECOND, 5 * MINUTE, 2 * HOUR),
  what: fc.constantFrom('command', 'command', 'ack', 'ack', 'nack', 'birth', 'report', 'will', 'goodbye', 'tick', 'restart'),
  id: fc.constantFrom('c1', 'c2', 'c3'),
  lasts: fc.constantFrom(1, MINUTE, 10 * MINUTE, 3 * HOUR),
});

function lineOf({ what, id, lasts }: Step, time: number, n: number): Line {
  const session = `s${n}`;
  switch (what) {
    case 'command':
      return command(time, id, { expires: time + lasts });
    case 'ack':
      return ack(time, id);
    case 'nack':
      return ack(time, id, { ok: false });
    case 'birth':
      return birth(time, {}, { session });
    case 'report':
      return report(time, n);
    case 'will':
      return will(time);
    case 'goodbye':
      return goodbye(time);
    default:
      return tick(time);
  }
}

/** Plays steps against a watch, and notes beside it what has to come of each command. */
class Play {
  readonly told: CommandRecord[] = [];
  readonly expected = new Map<string, string>();
  /** Commands without an outcome, and when they expire. */
  readonly #open = new Map<string, number>();
  /** What had no outcome at the line before, or was given since: up to its own time it may be sent. */
  #mayBeSent = new Set<string>();
  readonly #disk = new Disk();
  #watch = new Watch();
  #now = MONDAY;

  take(step: Step, n: number): void {
    this.#pass(step.wait);
    if (step.what === 'restart') return this.#restart();
    if (step.what === 'command' && (this.#open.has(step.id) || this.expected.has(step.id))) return;
    if (step.what === 'command') {
      this.#open.set(step.id, this.#now + step.lasts);
      this.#mayBeSent.add(step.id);
    }
    this.#step(lineOf(step, this.#now, n));
    if (step.what === 'ack') this.#end(step.id, 'done');
    if (step.what === 'nack') this.#end(step.id, 'failed');
  }

  finish(): void {
    this.#pass(DAY);
    this.#step(tick(this.#now));
  }

  #restart(): void {
    save(this.#watch, this.#disk, 7);
    this.#watch = this.#disk.restore();
  }

  #pass(ms: number): void {
    this.#now += ms;
    for (const [id, expires] of this.#open) if (expires <= this.#now) this.#end(id, 'expired');
  }

  #end(id: string, state: string): void {
    if (this.#open.delete(id)) this.expected.set(id, state);
  }

  #step(line: Line): void {
    const { commands, orders } = this.#watch.step(entry(line));
    this.told.push(...commands);
    for (const { command } of orders) if (command.type !== 'rebirth') expect([...this.#mayBeSent]).toContain(command.id);
    this.#mayBeSent = new Set(this.#open.keys());
  }
}

describe('whatever happens to a terminal, its acks and us', () => {
  it('each command has one outcome: what its first ack in time says, or that it expired; and nothing is sent after it', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
        const play = new Play();
        for (const [n, one] of steps.entries()) play.take(one, n);
        play.finish();

        const statesOf = (id: string) => play.told.filter((record) => record.command.id === id).map(({ state }) => state);
        for (const [id, outcome] of play.expected) {
          const ends = statesOf(id).filter((state) => state !== 'waiting' && state !== 'sent');
          expect([id, new Set(ends), statesOf(id).at(-1)]).toEqual([id, new Set([outcome]), outcome]);
        }
      }),
      { seed: SEED, numRuns: 400 },
    );
  });
});
