import { describe, expect, it } from 'vitest';
import { openLmdbState } from '../../../backbone/lmdb.ts';
import { openMemoryState } from '../../../backbone/memory.ts';
import { problemsOf } from '../../faults/deliveries.ts';
import { Receiver } from '../../helpers/receiver.ts';
import { tempDir } from '../../helpers/tempdir.ts';
import { Life } from '../owner/harness.ts';
import { ALL, keyOf, PostOffice, TestAlert } from './harness.ts';

/** By then a courier has told all that a stage has to tell. */
const LAST_STEP = 24;

/** One stage of a story: three alerts that go on, each told in an order of its own. */
async function goOn(office: PostOffice, alerts: TestAlert[], stage: number): Promise<void> {
  const at = office.clock.wall;
  for (const [n, alert] of alerts.entries()) {
    if (alert.alert.seq === 0) await office.say(alert.next('fired', at));
    else if ((stage + n) % 9 === 0) {
      await office.say(alert.next('resolved', at));
      alerts[n] = new TestAlert(`alert-${n}-${stage}`, at);
    } else await office.say(alert.next('updated', at, { severity: stage % 2 ? 'critical' : 'warning' }));
  }
}

describe('a courier that is killed', () => {
  it.each([
    ['memory', async () => openMemoryState()],
    ['LMDB', async () => openLmdbState(await tempDir())],
  ])('before or after each of its steps tells everything at least once, under one id, in order, without a gap: %s', async (_, open) => {
    const receiver = await Receiver.start();
    const office = new PostOffice(await open());
    const first = office.open();
    const endpoint = await first.webhooks.create('acme', { ...ALL, url: receiver.url });
    await first.stop();
    const alerts = [0, 1, 2].map((n) => new TestAlert(`alert-${n}`, office.clock.wall));
    receiver.answer = () => ({ status: receiver.deliveries.length % 5 === 0 ? 500 : 204 });

    let stages = 0;
    for (let step = 1; step <= LAST_STEP; step++) {
      for (const after of [false, true]) {
        await goOn(office, alerts, ++stages);
        office.clock.pass(6_000);
        const life = new Life(step, after);
        office.open(life);
        await Promise.race([life.ended, office.until(() => life.dead || office.clock.sleeping > 0).then(() => office.atRest())]);
        life.end();
      }
    }
    const last = office.open();
    await office.passUntil(() => last.webhooks.waiting(endpoint.id) === 0 && last.book.outbox === 3 * stages, 60_000);
    await last.stop();

    const { sequence } = last.webhooks.get(endpoint.id)!;
    expect(problemsOf(receiver.deliveries, { events: sequence, key: keyOf(endpoint) })).toEqual([]);
    expect(receiver.deliveries.length).toBeGreaterThan(sequence);
    const ends = new Map(receiver.told.map(({ data }) => [data.id, data.seq]));
    for (const { alert } of alerts) if (alert.seq > 0) expect(ends.get(alert.id)).toBe(alert.seq);
  });
});
