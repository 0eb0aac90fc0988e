/** A small fleet over a real broker. */
import { describe, expect, it } from 'vitest';
import { decodePayload } from '../../../protocol/codec/decode.ts';
import type { Row } from '../../../simulator/actions.ts';
import { type LiveFleet, type LiveOptions, startFleet } from '../../../simulator/live/fleet.ts';
import { scenarioNamed } from '../../../simulator/scenarios.ts';
import { type TestBroker, testBroker } from '../../broker/harness.ts';
import { eventually } from '../../helpers/eventually.ts';
import { onTestFinished, sideBySide } from '../../helpers/side-by-side.ts';
import { START } from '../support.ts';

/** At this speed a terminal reports each second or so. */
const SPEED = 300;

interface Fleet {
  broker: TestBroker;
  fleet: LiveFleet;
  rows: Row[];
}

async function liveFleet(options: Partial<LiveOptions> = {}, terminals = 12): Promise<Fleet> {
  const broker = await testBroker();
  const rows: Row[] = [];
  const fleet = await startFleet({
    story: { seed: 4, terminals, scenario: scenarioNamed('quiet')!, startAt: START, speed: SPEED },
    host: '127.0.0.1',
    port: broker.port,
    now: Date.now,
    random: Math.random,
    token: async (user) => broker.token(user),
    register: async (changed) => void rows.push(...changed),
    say: () => {},
    ...options,
  });
  onTestFinished(async () => void (await fleet.stop()));
  return { broker, fleet, rows };
}

interface Arrived {
  sn: string;
  channel: string;
  session: string;
  seq?: number;
  state?: string;
}

/** What is in the broker's log. Errors: throws at a message that would go to quarantine. */
function arrived(broker: TestBroker): Arrived[] {
  return broker.arrivals().map(({ sn, channel, payload }) => {
    const decoded = decodePayload(channel, payload);
    if (!decoded.ok) throw new Error(`${channel}: ${JSON.stringify(decoded)}`);
    const { session, seq, state } = decoded.message.body as unknown as Arrived;
    return { sn, channel, session, ...(seq === undefined ? {} : { seq }), ...(state === undefined ? {} : { state }) };
  });
}

const serialsOf = (fleet: LiveFleet) => fleet.merchants().flatMap(({ serials }) => serials);
const connected = (fleet: LiveFleet, count: number) => eventually(() => expect(fleet.stats().connected).toBe(count));

/** The lifecycle that the registry was told of last, of each terminal. */
const lifecycles = (rows: readonly Row[]) =>
  new Map(rows.flatMap(({ table, row }) => (table === 'terminals' ? [[row.sn, row.lifecycle]] : [])));

describe.concurrent('a live fleet', () => {
  it(
    'registers itself before anybody connects, as terminals that are not missed before they talk',
    sideBySide(async () => {
      const { fleet, rows } = await liveFleet();

      expect([...lifecycles(rows)]).toEqual(serialsOf(fleet).map((sn) => [sn, 'inactive']));
    }),
  );

  it(
    'takes every terminal out of the registry, those included that were swapped out and in',
    sideBySide(async () => {
      const { fleet, rows } = await liveFleet();
      await connected(fleet, 12);
      const old = serialsOf(fleet)[0]!;
      fleet.swap(old);
      const all = [old, ...serialsOf(fleet)];
      await fleet.stop();
      expect(lifecycles(rows).get(old)).toBe('swapped_out');

      expect(await fleet.remove()).toBe(13);

      expect(new Map(all.map((sn) => [sn, lifecycles(rows).get(sn)]))).toEqual(new Map(all.map((sn) => [sn, 'deleted'])));
    }),
  );

  it(
    'says so, once, where another fleet of its seed throws it out again and again',
    sideBySide(async () => {
      const said: string[] = [];
      const first = await liveFleet({ say: (line) => void said.push(line) });
      await connected(first.fleet, 12);
      const { port } = first.broker;

      await liveFleet({ port, token: async (user) => first.broker.token(user) });

      const rival = () => said.filter((line) => line.startsWith('another client uses these serial numbers: is another simulate running?'));
      await eventually(() => expect(rival()).toHaveLength(1));
      const { reconnects } = first.fleet.stats();
      await eventually(() => expect(first.fleet.stats().reconnects).toBeGreaterThan(reconnects + 24));
      expect(rival()).toHaveLength(1);
    }),
  );

  it(
    'runs beside a fleet of another seed, and neither notices',
    sideBySide(async () => {
      const first = await liveFleet();
      const story = { seed: 5, terminals: 12, scenario: scenarioNamed('quiet')!, startAt: START, speed: SPEED };
      const { port } = first.broker;

      const second = await liveFleet({ story, port, token: async (user) => first.broker.token(user) });

      for (const { fleet } of [first, second]) await eventually(() => expect(fleet.stats().acknowledged).toBeGreaterThan(24));
      expect([first, second].map(({ fleet }) => fleet.stats().reconnects)).toEqual([0, 0]);
    }),
  );

  it(
    'counts what a terminal could not send as unacknowledged, but for one that its story has away at the end',
    sideBySide(async () => {
      const nowhere = 1;
      const { fleet } = await liveFleet({ port: nowhere }, 2);
      await eventually(() => expect(fleet.stats().sent).toBeGreaterThan(4));
      const away = serialsOf(fleet)[0]!;
      expect(fleet.fallSilent(away, 'reset')).toBe(true);

      const { sent, unacknowledged, givenUp, logIns, failed } = await fleet.stop();

      expect([unacknowledged + givenUp, logIns]).toEqual([sent, 0]);
      for (const count of [unacknowledged, givenUp, failed]) expect(count).toBeGreaterThan(0);
    }),
  );

  it(
    'has every acknowledged report in the log, once',
    sideBySide(async () => {
      const { broker, fleet } = await liveFleet();
      await eventually(() => expect(fleet.stats().acknowledged).toBeGreaterThan(24));

      const { sent, acknowledged, unacknowledged, refused } = await fleet.stop();

      const reports = arrived(broker).filter(({ channel }) => channel === 'report' || channel === 'event');
      expect(new Set(reports.map(({ session, seq }) => `${session} ${seq}`)).size).toBe(reports.length);
      expect([reports.length, unacknowledged, refused]).toEqual([acknowledged, 0, 0]);
      expect(sent).toBe(acknowledged);
    }),
  );

  it(
    'says goodbye when it is stopped',
    sideBySide(async () => {
      const { broker, fleet } = await liveFleet();
      await connected(fleet, 12);

      await fleet.stop();

      const last = new Map(arrived(broker).map(({ sn, state }) => [sn, state]));
      expect([...last.values()]).toEqual(Array(12).fill('goodbye'));
    }),
  );

  it(
    'leaves a Will where a terminal drops, and comes back as a new session',
    sideBySide(async () => {
      const { broker, fleet } = await liveFleet();
      await connected(fleet, 12);
      const sn = serialsOf(fleet)[0]!;
      const of = () => arrived(broker).filter((one) => one.sn === sn);

      expect(fleet.fallSilent(sn, 'reset')).toBe(true);
      await eventually(() => expect(of().at(-1)).toMatchObject({ channel: 'state', state: 'lost', session: of()[0]!.session }));
      const before = of();
      fleet.comeBack(sn);

      await eventually(() => expect(of().filter(({ channel }) => channel === 'birth')).toHaveLength(2));
      const [birth] = of().slice(before.length);
      expect(birth!.session).not.toBe(before[0]!.session);
      await connected(fleet, 12);
    }),
  );

  it(
    'sends what it sampled while it was away under the session that ended, after the new birth',
    sideBySide(async () => {
      let aheadMs = 0;
      const { broker, fleet } = await liveFleet({ now: () => Date.now() + aheadMs });
      await eventually(() => expect(fleet.stats().acknowledged).toBeGreaterThan(12));
      const sn = serialsOf(fleet)[0]!;
      const of = () => arrived(broker).filter((one) => one.sn === sn);
      fleet.fallSilent(sn, 'reset');
      await eventually(() => expect(of().at(-1)?.state).toBe('lost'));
      const before = of();
      const lastSeq = Math.max(...before.map(({ seq = -1 }) => seq));
      // Four seconds pass, an interval and more; all that they bring is played at once.
      const { sent } = fleet.stats();
      aheadMs += 4_000;
      await eventually(() => expect(fleet.stats().sent).toBeGreaterThan(sent + 11));
      fleet.comeBack(sn);

      const late = await eventually(() => {
        const reports = of().slice(before.length);
        const found = reports.findIndex(({ channel, session }) => channel === 'report' && session === before[0]!.session);
        expect(found).toBeGreaterThan(reports.findIndex(({ channel }) => channel === 'birth'));
        return reports[found]!;
      });
      expect(late.seq).toBe(lastSeq + 1);
    }),
  );

  it(
    'is born again when it is told to, and says that it did so',
    sideBySide(async () => {
      const { broker, fleet } = await liveFleet({}, 1);
      await connected(fleet, 1);
      const sn = serialsOf(fleet)[0]!;
      const { acquirer } = fleet.merchants()[0]!;
      await eventually(() => expect(arrived(broker).some(({ state }) => state === 'online')).toBe(true));

      await eventually(async () => {
        await broker.order({ kind: 'command', at: START, acquirer, sn, command: { v: 1, id: 'c-1', type: 'rebirth' } });
        expect(arrived(broker).filter(({ channel }) => channel === 'birth').length).toBeGreaterThan(1);
      });
      await eventually(() => expect(arrived(broker).some(({ channel }) => channel === 'ack')).toBe(true));
    }),
  );

  it(
    'counts refused log-ins, says why once, and tries again until it may come in',
    sideBySide(async () => {
      let good = false;
      const broker = await testBroker();
      const said: string[] = [];
      const token = async (user: string) => (good ? broker.token(user) : 'tw1.k.1.2.none');
      const { fleet } = await liveFleet({ port: broker.port, token, say: (line) => void said.push(line) }, 3);

      await eventually(() => expect(fleet.stats().refused).toBeGreaterThan(2));
      expect(said).toEqual([expect.stringMatching(/cannot connect, and tries again: CONNACK 4/)]);
      good = true;

      await connected(fleet, 3);
    }),
  );

  it(
    'tells the truth in the time of the clock',
    sideBySide(async () => {
      const truth: { startsAt: number; type: string }[] = [];
      const from = Date.now();
      const story = { seed: 4, terminals: 12, scenario: scenarioNamed('quota.terminals')!, startAt: START, speed: 3600 };
      const { fleet, rows } = await liveFleet({ story, onTruth: (incident) => void truth.push(incident) });
      const registered = rows.length;

      await eventually(() => expect(fleet.stats().incidents).toBeGreaterThan(0), { within: 25_000 });
      await fleet.stop();

      expect(truth[0]!.type).toBe('quota.terminals');
      expect(truth[0]!.startsAt).toBeGreaterThanOrEqual(from);
      expect(truth[0]!.startsAt).toBeLessThanOrEqual(Date.now());
      await eventually(() => expect(rows.length).toBeGreaterThan(registered));
    }),
  );
});
