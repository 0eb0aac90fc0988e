import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { aheadBy } from '../helpers/faketime.ts';
import { type Command, Installation } from '../helpers/installation.ts';
import { lacks } from '../helpers/servers.ts';
import { seeds } from './form.ts';
import { Fleet } from './load.ts';
import { offlineTerminals, platformStates } from './observe.ts';
import { between, seeded } from './random.ts';
import { bindAll } from './registry.ts';
import { tabled } from './table.ts';
import { judge } from './verdict.ts';

const HOURS_MS = 2 * 3_600_000;
const INTERVAL_SECONDS = 5;
const REPORT_MS = 1_000;
/** Rounds that go on side by side: they mostly wait. */
const AT_ONCE = 3;
const BACK = ['SN0001', 'SN0002', 'SN0003', 'SN0004'];
const GONE = 'SN0009';
const MERCHANT = 'm-0';

const rounds = tabled('two hours');

describe.skipIf(lacks('faketime'))('everything gone for two hours', () => {
  const all = seeds(7_000);
  const groups = Array.from({ length: Math.ceil(all.length / AT_ONCE) }, (_, n) => all.slice(n * AT_ONCE, (n + 1) * AT_ONCE));

  test.each(groups.map((group) => [group.join(', '), group] as const))(
    'nobody is offline for our absence, and who is really gone is told one interval after (seeds %s)',
    { timeout: 120_000 },
    async (_, group) => {
      await Promise.all(group.map(playAbsence));
    },
  );
});

/** With an even seed it is `start` that was away; with an odd one the parts, and the broker comes back some time after the collector. */
async function playAbsence(seed: number): Promise<void> {
  const ahead = aheadBy(HOURS_MS / 1000);
  const [random, acquirer, installation] = [seeded(seed), `r${seed}`, await Installation.create()];
  const parts: Command[] = seed % 2 === 0 ? ['start'] : ['broker', 'collector'];
  const first = parts.map((part) => installation.start(part));
  await Promise.all(first.map((one) => one.ready()));
  const asked = await bindAll(installation, acquirer, new Map([...BACK, GONE].map((sn) => [sn, MERCHANT])));
  const clock = { ahead: 0, away: false };
  const [back, gone] = [BACK, [GONE]].map((sns) => fleetOf(installation, acquirer, sns, random, clock)) as [Fleet, Fleet];
  await eventually(() => expect(Math.min(back.reports.length, gone.reports.length)).toBeGreaterThan(1), { within: 20_000 });
  await delay(between(random, 0, 1_500));
  await gone.drain(20_000);
  await Promise.all(first.map((one) => one.end('SIGKILL')));
  const killedAt = Date.now();
  await gone.end();

  Object.assign(clock, { ahead: HOURS_MS, away: true });
  await startAgain(installation, parts, ahead, random);
  const up = await brokerUp(installation);
  await delay(between(random, 0, (INTERVAL_SECONDS - 2) * 1_000));
  clock.away = false;
  await eventually(async () => expect(await offlineTerminals(installation)).toEqual([GONE]), { within: 30_000, every: 200 });
  // Whoever was not heard in time is called offline within an interval more.
  await delay(INTERVAL_SECONDS * 1_000);
  await back.drain(20_000);
  // From here on nobody reports, and all are missed an interval later.
  const until = Date.now() + HOURS_MS + INTERVAL_SECONDS * 1_000;
  await installation.settled(20_000);
  await back.end();

  const sent = [...back.reports, ...gone.reports];
  const faults = Object.fromEntries(parts.map((part) => [`kill ${part}`, 1]));
  const known = { scenario: 'two hours', seed, faults, rate: null, connects: back.connects + gone.connects };
  const transitions = await judge({ acquirer, installation, sent, asked, influx: undefined }, known, rounds);
  const told = transitions.filter(({ alert, at }) => alert.type === 'terminal.offline' && at < until);
  const after = told.map(({ transition, alert, at }) => [transition, alert.subject.terminal, at - up.at]);
  expect(after).toEqual([['fired', GONE, INTERVAL_SECONDS * 1_000]]);
  expect(up.at).toBeGreaterThanOrEqual(killedAt + HOURS_MS);
  expect(up.downAt).toBeLessThanOrEqual(killedAt);
}

interface TerminalClock {
  /** Milliseconds before the real time. */
  ahead: number;
  /** No terminal connects. */
  away: boolean;
}

function fleetOf(installation: Installation, acquirer: string, sns: readonly string[], random: () => number, clock: TerminalClock): Fleet {
  const { mqttPort, token, durable } = installation;
  const port = () => (clock.away ? undefined : mqttPort());
  const now = () => Date.now() + clock.ahead;
  const timing = { everyMs: REPORT_MS, intervalSeconds: INTERVAL_SECONDS, keepaliveSeconds: INTERVAL_SECONDS };
  return new Fleet({ acquirer, terminals: new Map(sns.map((sn) => [sn, MERCHANT])), port, token, durable, now, random, ...timing });
}

async function startAgain(
  installation: Installation,
  parts: readonly Command[],
  ahead: Record<string, string>,
  random: () => number,
): Promise<void> {
  for (const part of parts.toReversed()) {
    await installation.start(part, ahead).ready();
    if (part === 'collector') await delay(between(random, 0, 7_000));
  }
}

/** When the broker was said to be down, and to be up again. */
async function brokerUp({ paths }: Installation): Promise<{ downAt: number; at: number }> {
  return eventually(
    async () => {
      const states = await platformStates(paths);
      expect(states).toEqual([
        expect.objectContaining({ part: 'broker', state: 'down' }),
        expect.objectContaining({ part: 'broker', state: 'up' }),
      ]);
      return { downAt: states[0]!.at, at: states[1]!.at };
    },
    { within: 20_000, every: 100 },
  );
}
