import { describe, expect, it } from 'vitest';
import { problemsOf } from '../../faults/deliveries.ts';
import { Receiver } from '../../helpers/receiver.ts';
import { ALL, keyOf, PostOffice, TestAlert, withEndpoint } from './harness.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describe('an alert', () => {
  it('is told from its firing to its end, signed, in order and numbered', async () => {
    const receiver = await Receiver.start();
    const { office, endpoint } = await withEndpoint(receiver.url);
    const alert = new TestAlert('a', office.clock.wall);

    await office.say(alert.next('fired', office.clock.wall));
    await office.until(() => receiver.deliveries.length === 1);
    await office.say(alert.next('updated', office.clock.wall + 1, { severity: 'critical' }));
    await office.until(() => receiver.deliveries.length === 2);
    await office.say(alert.next('resolved', office.clock.wall + 2));
    await office.until(() => receiver.deliveries.length === 3);

    expect(receiver.told.map(({ type, sequence, data }) => [type, sequence, data.seq])).toEqual([
      ['alert.fired', 1, 1],
      ['alert.updated', 2, 2],
      ['alert.resolved', 3, 3],
    ]);
    expect(problemsOf(receiver.deliveries, { events: 3, key: keyOf(endpoint) })).toEqual([]);
    expect(receiver.deliveries[0]!.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-timestamp': '1763798400' });
  });

  it('of another acquirer is nobody’s business here', async () => {
    const receiver = await Receiver.start();
    const { office } = await withEndpoint(receiver.url);
    const mine = new TestAlert('mine', office.clock.wall);
    const other = new TestAlert('other', office.clock.wall);
    other.alert.subject.acquirer = 'beta';

    await office.say(other.next('fired', office.clock.wall), mine.next('fired', office.clock.wall));
    await office.until(() => receiver.deliveries.length === 1);

    expect(receiver.told.map(({ data, sequence }) => [data.id, sequence])).toEqual([['mine', 1]]);
  });

  it('that changes while its receiver is away is told as it is by then, under one id and one number', async () => {
    const receiver = await Receiver.start();
    const { office, book, endpoint } = await withEndpoint(receiver.url);
    const alert = new TestAlert('a', office.clock.wall);
    receiver.answer = () => ({ status: 500 });
    await office.say(alert.next('fired', office.clock.wall));
    await office.until(() => receiver.deliveries.length === 1);

    for (const severity of ['critical', 'warning', 'critical'] as const)
      await office.say(alert.next('updated', office.clock.wall, { severity }));
    await office.until(() => book.outbox === 4);
    receiver.answer = () => ({ status: 204 });
    await office.passUntil(() => receiver.deliveries.length === 3, 1_000);

    expect(receiver.told.map(({ type, sequence, data }) => [type, sequence, data.seq])).toEqual([
      ['alert.fired', 1, 1],
      ['alert.fired', 1, 1],
      ['alert.updated', 2, 4],
    ]);
    expect(book.endpoints.get(endpoint.id)!.sequence).toBe(2);
  });
});

describe('a receiver that fails', () => {
  it('is tried by the whole schedule, then the event waits for a resend and operators are told', async () => {
    const receiver = await Receiver.start();
    const { office, webhooks, endpoint } = await withEndpoint(receiver.url);
    const start = office.clock.wall;
    const tries: number[] = [];
    receiver.answer = () => {
      tries.push(office.clock.wall - start);
      return { status: 500, text: 'broken' };
    };

    await office.say(new TestAlert('a', start).next('fired', start));
    const schedule = [0, 5_000, 5 * MINUTE_MS, 30 * MINUTE_MS, ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR_MS)];
    for (const [n, at] of schedule.entries()) {
      await office.until(() => tries.length === n || n === 0);
      if (n > 0) await office.pass(start + at - 1 - office.clock.wall);
      if (n > 0) expect(tries).toHaveLength(n);
      await office.pass(start + at - office.clock.wall);
      await office.until(() => tries.length === n + 1);
    }
    await office.until(() => webhooks.waiting(endpoint.id) === 0);

    expect(tries).toEqual(schedule);
    expect(office.said.filter((line) => line.includes('given up after 10 attempts'))).toHaveLength(1);
    const log = [...webhooks.deliveries(endpoint)].map(({ item }) => item);
    expect(log.map(({ attempt }) => attempt)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(log[0]).toMatchObject({ status: 500, answer: 'broken', error: 'it answered 500', result: 'given_up', nextAt: null });

    receiver.answer = () => ({ status: 200 });
    expect(await webhooks.replay(endpoint, { fromSequence: 1, toSequence: 1 })).toBe(1);
    await office.until(() => receiver.deliveries.length === 11);
    expect(new Set(receiver.deliveries.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  }, 60_000);

  it('holds up its alert’s own events and nobody else’s', async () => {
    const receiver = await Receiver.start();
    const { office, endpoint } = await withEndpoint(receiver.url);
    receiver.answer = ({ body }) => ({ status: body.includes('"id":"bad"') && receiver.deliveries.length < 4 ? 503 : 200 });
    const bad = new TestAlert('bad', office.clock.wall);
    const good = new TestAlert('good', office.clock.wall);

    await office.say(bad.next('fired', office.clock.wall));
    await office.until(() => receiver.deliveries.length === 1);
    await office.say(bad.next('resolved', office.clock.wall), good.next('fired', office.clock.wall));
    await office.until(() => receiver.deliveries.length === 2);
    await office.passUntil(() => receiver.deliveries.length === 5, 60_000);

    expect(receiver.told.map(({ type, data }) => `${data.id} ${type}`)).toEqual([
      'bad alert.fired',
      'good alert.fired',
      'bad alert.fired',
      'bad alert.fired',
      'bad alert.resolved',
    ]);
    expect(problemsOf(receiver.deliveries, { events: 3, key: keyOf(endpoint) })).toEqual([]);
  });

  it('delays no other receiver, however slow it is', async () => {
    const slow = await Receiver.start();
    const quick = await Receiver.start();
    slow.answer = () => new Promise(() => {});
    const { office, webhooks } = await withEndpoint(slow.url);
    await webhooks.create('acme', { ...webhooks.all()[0]!, url: quick.url });

    for (let n = 0; n < 30; n++) await office.say(new TestAlert(`a${n}`, office.clock.wall).next('fired', office.clock.wall));
    await office.until(() => quick.deliveries.length === 30);

    expect(slow.deliveries.length).toBeLessThanOrEqual(8);
  });

  it.each([
    ['in seconds', '120'],
    ['as a date', new Date(1_763_798_400_000 + 120_000).toUTCString()],
  ])('and names a time %s is left alone until then, with all its events', async (_, retryAfter) => {
    const receiver = await Receiver.start();
    const { office } = await withEndpoint(receiver.url);
    receiver.answer = () => ({ status: 429, headers: { 'retry-after': retryAfter } });
    const start = office.clock.wall;
    await office.say(new TestAlert('a', start).next('fired', start));
    await office.until(() => receiver.deliveries.length === 1);
    const tries: number[] = [];
    receiver.answer = () => {
      tries.push(office.clock.wall - start);
      return { status: 200 };
    };

    await office.say(new TestAlert('b', start).next('fired', start));
    await office.passUntil(() => tries.length === 2, 5_000);

    // The first had its time of 5 s meanwhile, so both are due.
    expect(tries).toEqual([120_000, 120_000]);
  });

  it('with 410 is disabled at once; what happens meanwhile is numbered, and told once it is enabled', async () => {
    const receiver = await Receiver.start();
    const { office, webhooks, endpoint, book } = await withEndpoint(receiver.url);
    receiver.answer = () => ({ status: 410 });
    const alert = new TestAlert('a', office.clock.wall);
    await office.say(alert.next('fired', office.clock.wall));
    await office.until(() => webhooks.get(endpoint.id)!.disabled === 'gone');

    await office.say(alert.next('resolved', office.clock.wall));
    await office.until(() => book.outbox === 2);
    await office.pass(HOUR_MS);
    expect([receiver.deliveries.length, webhooks.waiting(endpoint.id)]).toEqual([1, 2]);
    expect(office.said.filter((line) => line.includes('410'))).toHaveLength(1);

    receiver.answer = () => ({ status: 200 });
    await webhooks.change(endpoint, { enabled: true });
    await office.until(() => receiver.deliveries.length === 3);
    expect(receiver.told.map(({ sequence }) => sequence)).toEqual([1, 1, 2]);
  });

  it('for five days is disabled, and operators are told', async () => {
    const { office, webhooks, endpoint } = await withEndpoint('http://127.0.0.1:1/nobody');
    for (let n = 0; n < 10 && webhooks.get(endpoint.id)!.disabled === null; n++) {
      await office.say(new TestAlert(`a${n}`, office.clock.wall).next('fired', office.clock.wall));
      await office.until(() => webhooks.waiting(endpoint.id) > 0);
      await office.passUntil(() => webhooks.waiting(endpoint.id) === 0 || webhooks.get(endpoint.id)!.disabled !== null, 2 * HOUR_MS);
    }

    expect(webhooks.get(endpoint.id)!.disabled).toBe('failing');
    expect(office.said.filter((line) => line.includes('failed for five days'))).toHaveLength(1);
    expect(office.clock.wall - webhooks.get(endpoint.id)!.failingSince!).toBeGreaterThanOrEqual(5 * 24 * HOUR_MS);
  }, 60_000);

  it('by a redirect is not followed', async () => {
    const elsewhere = await Receiver.start();
    const receiver = await Receiver.start();
    receiver.answer = () => ({ status: 307, headers: { location: elsewhere.url } });
    const { office, webhooks, endpoint } = await withEndpoint(receiver.url);

    await office.say(new TestAlert('a', office.clock.wall).next('fired', office.clock.wall));
    await office.until(() => webhooks.get(endpoint.id)!.lastError !== null);

    expect(webhooks.get(endpoint.id)!.lastError).toBe('it answered 307, and redirects are not followed');
    expect(elsewhere.deliveries).toEqual([]);
  });
});

describe('an endpoint', () => {
  it('signs with the old secret beside the new one for a day after a rotation', async () => {
    const receiver = await Receiver.start();
    const { office, webhooks, endpoint } = await withEndpoint(receiver.url);
    const before = keyOf(endpoint);
    await webhooks.rotate(endpoint);
    const after = keyOf(webhooks.get(endpoint.id)!);

    await webhooks.test(endpoint);
    await office.until(() => receiver.deliveries.length === 1);
    await office.pass(24 * HOUR_MS + 1);
    await webhooks.test(endpoint);
    await office.until(() => receiver.deliveries.length === 2);

    const [first, second] = receiver.deliveries.map((delivery) =>
      [before, after].map(
        (key) => problemsOf([delivery], { events: 0, key }).filter((problem) => problem.includes('signature')).length === 0,
      ),
    );
    expect([first, second]).toEqual([
      [true, true],
      [false, true],
    ]);
  });

  it('that is removed while a delivery is under way is forgotten', async () => {
    const receiver = await Receiver.start();
    const { office, webhooks, endpoint, run, stop } = await withEndpoint(receiver.url);
    let answer = (_: { status: number }) => {};
    receiver.answer = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    await office.say(new TestAlert('a', office.clock.wall).next('fired', office.clock.wall));
    await office.until(() => receiver.deliveries.length === 1);

    await webhooks.remove(endpoint);
    answer({ status: 200 });
    await stop();
    await run;

    expect(webhooks.all()).toEqual([]);
    const again = office.open();
    expect([again.webhooks.all(), again.book.outbox]).toEqual([[], 1]);
  });

  it('made while an alert fires hears of it with the next change, as of one that fires', async () => {
    const receiver = await Receiver.start();
    const office = new PostOffice();
    const { webhooks, book } = office.open();
    const alert = new TestAlert('a', office.clock.wall);
    const other = new TestAlert('b', office.clock.wall);
    await office.say(alert.next('fired', office.clock.wall), other.next('fired', office.clock.wall));
    await office.until(() => book.outbox === 2);
    await webhooks.create(null, { url: receiver.url, types: null, severity: 'info', merchants: null, description: '', language: 'en' });

    await office.say(other.next('resolved', office.clock.wall), alert.next('updated', office.clock.wall, { severity: 'critical' }));
    await office.until(() => receiver.deliveries.length === 1);

    expect(receiver.told.map(({ type, data }) => [type, data.id, data.severity])).toEqual([['alert.fired', 'a', 'critical']]);
  });

  it('that moves while a delivery is under way is not blamed for what its old address answers', async () => {
    const [before, after] = [await Receiver.start(), await Receiver.start()];
    const { office, webhooks, endpoint } = await withEndpoint(before.url);
    let answer = (_: { status: number }) => {};
    before.answer = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    await office.say(new TestAlert('a', office.clock.wall).next('fired', office.clock.wall));
    await office.until(() => before.deliveries.length === 1);

    await webhooks.change(endpoint, { url: after.url });
    answer({ status: 410 });

    await office.until(() => after.deliveries.length === 1);
    expect(webhooks.get(endpoint.id)).toMatchObject({ url: after.url, disabled: null, failingSince: null });
    expect(problemsOf([...before.deliveries, ...after.deliveries], { events: 1, key: keyOf(endpoint) })).toEqual([]);
  });

  it('has every attempt in its log, those included that our own end cut off', async () => {
    const receiver = await Receiver.start();
    const office = new PostOffice();
    const first = office.open();
    const endpoint = await first.webhooks.create('acme', { ...ALL, url: receiver.url });
    receiver.answer = () => new Promise(() => {});
    await first.webhooks.test(endpoint);
    await office.until(() => receiver.deliveries.length === 1);
    await first.stop();
    receiver.answer = () => ({ status: 200 });

    const second = office.open();
    await office.until(() => second.webhooks.waiting(endpoint.id) === 0);

    const log = [...second.webhooks.deliveries(endpoint)].map(({ item: { attempt, result, status } }) => [attempt, result, status]);
    expect(log).toEqual(
      expect.arrayContaining([
        [2, 'delivered', 200],
        [1, 'begun', null],
      ]),
    );
    expect(log).toHaveLength(2);
  });

  it('that answers 410 to several at once is said once to be disabled', async () => {
    const receiver = await Receiver.start();
    receiver.answer = () => ({ status: 410 });
    const { office, webhooks, endpoint } = await withEndpoint(receiver.url);

    await office.say(...Array.from({ length: 5 }, (_, n) => new TestAlert(`a${n}`, office.clock.wall).next('fired', office.clock.wall)));
    await office.until(() => receiver.deliveries.length === 5);
    await office.atRest();

    expect(webhooks.get(endpoint.id)!.disabled).toBe('gone');
    expect(office.said.filter((line) => line.includes('410'))).toHaveLength(1);
  });
});
