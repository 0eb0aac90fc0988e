import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { readSecret } from '../../collector/webhooks/secrets.ts';
import { eventually } from '../helpers/eventually.ts';
import { Installation } from '../helpers/installation.ts';
import { type Delivery, Receiver, told } from '../helpers/receiver.ts';
import { sideBySide } from '../helpers/side-by-side.ts';
import { problemsOf } from './deliveries.ts';
import { seeds, waitingTest } from './form.ts';
import { between, pick, seeded } from './random.ts';
import { insistOnImport, terminalsCsv } from './registry.ts';

const ROUND_MS = 120_000;
const KILLS = 4;
const MERCHANTS = Array.from({ length: 10 }, (_, n) => `m-${n}`);
const LIMIT = 10;
/** From here on a merchant is told of with nearly every move. */
const FIRST_BOUND = 7;
const MOVES_AT_ONCE = 12;

interface Webhook {
  id: string;
  secret: string;
  sequence: number;
  waiting: number;
}

const serial = (merchant: string, number: number) => `${merchant.toUpperCase()}-${number}`;

/** Binds and unbinds at the edge of limits: each move changes an alert, more often than not. */
class Moves {
  readonly #installation: Installation;
  readonly #random: () => number;
  readonly #bound = new Map(MERCHANTS.map((merchant) => [merchant, 0]));

  constructor(installation: Installation, random: () => number) {
    this.#installation = installation;
    this.#random = random;
  }

  async begin(): Promise<void> {
    const merchants = ['acquirer,merchant,terminal_limit', ...MERCHANTS.map((merchant) => `acme,${merchant},${LIMIT}`), ''].join('\n');
    await insistOnImport(this.#installation, { name: 'merchants.csv', text: merchants });
    const rows = MERCHANTS.flatMap((merchant) =>
      Array.from({ length: FIRST_BOUND }, (_, n) => `acme,${merchant},${serial(merchant, n + 1)}`),
    );
    await insistOnImport(this.#installation, terminalsCsv(rows));
    for (const merchant of MERCHANTS) this.#bound.set(merchant, FIRST_BOUND);
  }

  /** A move is made, however often its collector is killed. */
  one(): Promise<void> {
    const merchant = pick(this.#random, MERCHANTS);
    const bound = this.#bound.get(merchant)!;
    const up = bound <= FIRST_BOUND || (bound <= LIMIT && this.#random() < 0.6);
    return this.#move(merchant, up ? 1 : -1);
  }

  async #move(merchant: string, by: 1 | -1): Promise<void> {
    const bound = this.#bound.get(merchant)! + by;
    this.#bound.set(merchant, bound);
    const [number, lifecycle] = by === 1 ? [bound, 'active'] : [bound + 1, 'deleted'];
    const row = `acme,${merchant},${serial(merchant, number)},${lifecycle}`;
    await insistOnImport(this.#installation, terminalsCsv([row], 'acquirer,merchant,sn,lifecycle'));
  }
}

/** Where in a delivery the collector is killed: as a request arrives, as its answer has gone out, or at any moment. */
function killingMoment(receiver: Receiver, random: () => number): Promise<void> {
  const kind = pick(random, ['arrival', 'answer', 'moment']);
  const usual = receiver.answer;
  if (kind === 'moment') return delay(between(random, 0, 150));
  return new Promise((resolve) => {
    receiver.answer = (delivery) => {
      receiver.answer = usual;
      if (kind === 'answer') {
        setImmediate(resolve);
        return usual(delivery);
      }
      resolve();
      return delay(50).then(() => null);
    };
  });
}

describe('kill -9 of the collector while it delivers', () => {
  waitingTest.for(seeds(9_000))(
    'tells everything at least once, under one id, in the order of each alert, without a gap (seed %i)',
    { timeout: ROUND_MS },
    sideBySide(async (seed) => {
      const random = seeded(seed);
      const receiver = await Receiver.start();
      const seen = new Set<string>();
      // Some fail when they come first.
      receiver.answer = ({ headers }: Delivery) => {
        const isFirst = !seen.has(headers['webhook-id']!);
        seen.add(headers['webhook-id']!);
        return isFirst && random() < 0.2 ? (random() < 0.5 ? { status: 500 } : null) : { status: 204 };
      };
      const installation = await Installation.create({ TILLWATCH_WEBHOOK_ALLOW: '127.0.0.0/8' });
      await installation.start('broker').ready();
      let collector = installation.start('collector');
      await collector.ready();
      const { id, secret } = await installation.api<Webhook>('/v1/webhooks', { url: receiver.url, acquirer: 'acme' });
      const moves = new Moves(installation, random);
      await moves.begin();

      for (let kill = 0; kill < KILLS; kill++) {
        const moment = killingMoment(receiver, random);
        const all = Array.from({ length: MOVES_AT_ONCE }, () => moves.one());
        await Promise.race([moment, delay(5_000)]);
        await collector.end('SIGKILL');
        await delay(between(random, 0, 300));
        collector = installation.start('collector');
        await collector.ready();
        await Promise.all(all);
      }

      const webhook = () => installation.api<Webhook>(`/v1/webhooks/${id}`);
      // What the watch has said lately may not be among those that wait yet.
      await eventually(
        async () => {
          if ((await webhook()).waiting > 0) {
            await installation.api(`/v1/webhooks/${id}/enable`, {});
            throw new Error('some still wait');
          }
          const alerts = (await installation.alerts()).filter(({ subject }) => subject.acquirer === 'acme');
          const lastOf = new Map(receiver.deliveries.map((delivery) => [told(delivery).data.id, told(delivery).data.seq]));
          expect(Object.fromEntries(lastOf)).toEqual(Object.fromEntries(alerts.map((alert) => [alert.id, alert.seq])));
        },
        { within: 30_000, every: 500 },
      );
      const { sequence: events } = await webhook();
      const key = readSecret(secret);
      console.log(`webhooks, seed ${seed}: ${KILLS} kills, ${events} events, ${receiver.deliveries.length} deliveries`);
      expect(problemsOf(receiver.deliveries, { events, key: key.ok ? key.key : Buffer.alloc(0) })).toEqual([]);
      expect(events).toBeGreaterThan(KILLS * 2);
      expect(installation.failures).toEqual([]);
      expect(await installation.stopAll()).toEqual([0, 0]);
    }),
  );
});
