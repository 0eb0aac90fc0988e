import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseTopic } from '../../protocol/topics.ts';
import { SCENARIOS } from '../../simulator/scenarios.ts';
import { cliProcess } from '../cli/harness.ts';
import { entry, START, tell } from './support.ts';

const ARGS = ['simulate', '--entries', '--scenario', 'day', '--rate', '500', '--terminals', '60', '--seed'];

describe('the entries of a story', () => {
  it('are the same bytes in two processes', async () => {
    const hash = async (seed: string) => {
      const { code, out } = await cliProcess([...ARGS, seed]);
      expect(code).toBe(0);
      return createHash('sha256').update(out.join('\n')).digest('hex');
    };

    const [once, again, other] = await Promise.all([hash('11'), hash('11'), hash('12')]);

    expect(again).toBe(once);
    expect(other).not.toBe(once);
  });

  it('are the same in every version: a seed means one story', () => {
    const { lines } = tell('day', { terminals: 30, seed: 42, rate: 500 });

    expect(createHash('sha256').update(lines.join('\n')).digest('hex')).toMatchInlineSnapshot(
      `"28e48f5f0d0adcc8759641c7fed1675ba22933747b92c9d4cc18c20d9ec965a6"`,
    );
  });

  it.each(['quiet', 'terminal.offline'])('of a merchant are the same however many merchants follow (%s)', (scenario) => {
    const few = tell(scenario, { terminals: 30, seed: 5 });
    const many = tell(scenario, { terminals: 90, seed: 5 });
    const last = merchantsOf(few.lines).at(-1)!;
    const whole = new Set(merchantsOf(few.lines).filter((merchant) => merchant !== last));

    expect(whole.size).toBeGreaterThan(3);
    expect(linesOf(many.lines, whole)).toEqual(linesOf(few.lines, whole));
  });

  it('of a short story begin a longer one', () => {
    const short = tell('day', { seed: 6, rate: 500 });
    const long = tell('day', { seed: 6, rate: 500, days: 2 });

    expect(long.lines.slice(0, short.lines.length)).toEqual(short.lines);
  });

  it('are in order of time, the registry first', () => {
    const { lines } = tell('day', { rate: 500 });
    const times = lines.map((line) => entry(line).at);

    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBe(START);
    expect(lines.findIndex((line) => line.includes('"topic"'))).toBeGreaterThan(40);
  });

  it.each(SCENARIOS.flatMap(({ name }) => [101, 202].map((seed) => ({ name, seed }))))(
    'are read by the replay, and no message goes to quarantine ($name, seed $seed)',
    ({ name, seed }) => {
      const { lines } = tell(name, { seed, terminals: 20 });
      const wrong = lines.map(entry).filter((one) => one.kind === 'message' && !one.decoded.ok);

      expect(lines.length).toBeGreaterThan(500);
      expect(wrong).toEqual([]);
    },
  );

  it.each(['terminal.offline', 'quota.terminals', 'platform.blind'])(
    'have each session begin with its birth, and number its messages without a gap (%s)',
    (scenario) => {
      const next = new Map<string, number>();
      for (const line of tell(scenario, { seed: 7, days: 2 }).lines) {
        const one = entry(line);
        if (one.kind !== 'message' || !one.decoded.ok) continue;
        const { channel, body } = one.decoded.message;
        const session = `${one.sn} ${(body as { session: string }).session}`;
        if (channel === 'birth') next.set(session, 0);
        else expect(next.has(session), line).toBe(true);
        if (channel !== 'report' && channel !== 'event') continue;
        const due = next.get(session)!;
        // The same number again is a report that was sent twice.
        expect([due, due - 1]).toContain(body.seq);
        next.set(session, Math.max(due, body.seq + 1));
      }
      expect(next.size).toBeGreaterThan(40);
    },
  );
});

it.each(SCENARIOS.flatMap(({ name }) => [101, 202].map((seed) => ({ name, seed }))))(
  'are read by the replay, and no message goes to quarantine ($name, seed $seed)',
  ({ name, seed }) => {
    const { lines } = tell(name, { seed, terminals: 20 });
    const wrong = lines.map(entry).filter((one) => one.kind === 'message' && !one.decoded.ok);

    expect(lines.length).toBeGreaterThan(500);
    expect(wrong).toEqual([]);
  },
);

it('have each session begin with its birth, and number its messages without a gap', () => {
  const { lines } = tell('terminal.offline', { seed: 7 });
  const next = new Map<string, number>();
  for (const line of lines) {
    const one = entry(line);
    if (one.kind !== 'message' || !one.decoded.ok) continue;
    const { channel, body } = one.decoded.message;
    const session = (body as { session: string }).session;
    if (channel === 'birth') next.set(session, 0);
    if (channel !== 'report' && channel !== 'event') continue;
    const { seq } = body;
    const due = next.get(session);
    // The same number again is a report that was sent twice.
    expect([due, (due ?? 0) - 1]).toContain(seq);
    next.set(session, Math.max(due!, seq + 1));
  }
});

function merchantsOf(lines: readonly string[]): string[] {
  return lines.flatMap((line) => /"table":"merchants".*"merchant":"(m-\d+)"/.exec(line)?.[1] ?? []);
}

/** The serial numbers of a merchant hold its number. */
function linesOf(lines: readonly string[], merchants: ReadonlySet<string>): string[] {
  return lines.filter((line) => {
    const topic = /"topic":"([^"]+)"/.exec(line)?.[1];
    const merchant = topic ? `m-${Number(parseTopic(topic)!.sn.slice(2, 8))}` : /"merchant":"(m-\d+)"/.exec(line)![1]!;
    return merchants.has(merchant);
  });
}
