import { describe, expect, it } from 'vitest';
import { openMemoryState } from '../../../backbone/memory.ts';
import type { Change } from '../../../backbone/state.ts';
import { fromBytes } from '../../../collector/rows.ts';
import { Book, type Delivery } from '../../../collector/webhooks/book.ts';
import type { WebhookEvent } from '../../../collector/webhooks/event.ts';
import type { Answer } from '../../../collector/webhooks/post.ts';
import { DELIVERIES, EVENTS, eventKey } from '../../../collector/webhooks/tables.ts';
import type { Transition } from '../../../protocol/alerts.ts';
import { anEndpoint, aTransition, HOUR, MINUTE, T } from './examples.ts';

const answered = (status: number, text = ''): Answer => ({ kind: 'answered', status, retryAfter: undefined, text });
const fired = (id = 'a-1') => aTransition('fired', { id });
const updated = (seq: number, id = 'a-1') => aTransition('updated', { id, seq, confidence: seq / 100 }, T + seq);
const resolved = (seq: number, id = 'a-1') => aTransition('resolved', { id, seq }, T + seq);

/** A book of one endpoint, whose every step is committed. */
async function opened(changes: Parameters<typeof anEndpoint>[0] = {}) {
  const state = openMemoryState();
  const book = new Book(state);
  const { id } = anEndpoint(changes);
  const commit = (rows: readonly Change[]) => state.commit(rows);
  await commit(book.put(anEndpoint(changes)));
  let outbox = 0;
  const endpoint = () => book.endpoints.get(id)!;
  const attempt = async (answer: Answer, now = T) => {
    const { begun, changes: rows } = book.begin(endpoint(), now)!;
    await commit(rows);
    const ended = book.end(begun, answer, now + 20, () => 0)!;
    await commit(ended.changes);
    return ended.delivery;
  };
  return {
    state,
    book,
    endpoint,
    commit,
    attempt,
    tell: (...transitions: Transition[]) => commit(book.tell(transitions, ++outbox, T)),
    event: (sequence: number) => fromBytes<WebhookEvent>(state.get(EVENTS, eventKey(id, sequence))!),
    events: () => [...state.rows(EVENTS)].map(({ value }) => fromBytes<WebhookEvent>(value)),
    types: () => [...state.rows(EVENTS)].map(({ value }) => fromBytes<WebhookEvent>(value).type),
    deliveries: () => [...state.rows(DELIVERIES)].map(({ value }) => fromBytes<Delivery>(value)),
    waiting: () => [...book.lines.get(id)!].map(({ sequence }) => sequence),
  };
}

describe('a book that is opened again', () => {
  it('is what it was: endpoints, what waits and since when, who was told, and how far the outbox was read', async () => {
    const { book, state, tell, attempt, commit } = await opened();
    await commit(book.put(anEndpoint({ id: 'we_02', severity: 'critical', disabled: 'operator' })));
    await tell(fired(), fired('a-2'), updated(2));
    await attempt(answered(500));
    await tell(resolved(3, 'a-2'));

    const again = new Book(state);

    expect([...again.endpoints]).toEqual([...book.endpoints]);
    expect([...again.lines.get('we_01')!]).toEqual([...book.lines.get('we_01')!]);
    expect(again.outbox).toBe(2);
    const types = (one: Book) => one.tell([updated(4), updated(4, 'a-2')], 3, T).map(({ table, key }) => [table, key]);
    expect(types(again)).toEqual(types(book));
  });

  it('begins an attempt again that was cut off, under the same id', async () => {
    const { book, state, tell, endpoint, commit } = await opened();
    await tell(fired());
    const { begun, changes } = book.begin(endpoint(), T)!;
    await commit(changes);

    const again = new Book(state);
    const next = again.begin(again.endpoints.get('we_01')!, T + 1)!;

    expect(next.begun.waiting).toEqual({ ...begun.waiting, attempts: 2, firstAt: T, lastAt: T + 1 });
  });

  it('knows nothing any more of an endpoint that was removed', async () => {
    const { book, state, tell, commit } = await opened();
    await tell(fired());
    await commit(book.remove('we_01'));

    const again = new Book(state);

    expect([again.endpoints.size, again.lines.size]).toEqual([0, 0]);
    expect(again.tell([updated(2)], 2, T)).toEqual([expect.objectContaining({ table: 'webhook-cursor' })]);
  });
});

describe('an update that nobody was told of yet', () => {
  it('is replaced in place by a newer one, under the same id and sequence', async () => {
    const { tell, attempt, event, types, endpoint } = await opened();
    await tell(fired());
    await attempt(answered(200));
    await tell(updated(2));
    const { id } = event(2);

    await tell(updated(3), updated(4));

    expect(types()).toEqual(['alert.fired', 'alert.updated']);
    expect(event(2)).toMatchObject({ id, sequence: 2, at: T + 4, alert: { seq: 4, confidence: 0.04 } });
    expect(endpoint().sequence).toBe(2);
  });

  it('is replaced while its fired waits, and those of other alerts are left alone', async () => {
    const { tell, events } = await opened();

    await tell(fired(), fired('a-2'), updated(2), updated(2, 'a-2'), updated(3));

    expect(events().map(({ type, alert }) => [type, alert!.id, alert!.seq])).toEqual([
      ['alert.fired', 'a-1', 1],
      ['alert.fired', 'a-2', 1],
      ['alert.updated', 'a-1', 3],
      ['alert.updated', 'a-2', 2],
    ]);
  });

  it('stays before the end of its alert, which replaces nothing', async () => {
    const { tell, types } = await opened();

    await tell(fired(), updated(2), resolved(3));

    expect(types()).toEqual(['alert.fired', 'alert.updated', 'alert.resolved']);
  });
});

describe('an update stays as it is, and a newer one is an event of its own', () => {
  /** An alert whose fired was delivered and whose update waits. */
  const withUpdate = async () => {
    const all = await opened();
    await all.tell(fired());
    await all.attempt(answered(200));
    await all.tell(updated(2));
    return all;
  };
  const expectApart = ({ event, waiting }: Awaited<ReturnType<typeof opened>>, sequences: number[]) => {
    expect(event(2).alert!.seq).toBe(2);
    expect(event(3)).toMatchObject({ sequence: 3, type: 'alert.updated', alert: { seq: 3 } });
    expect(event(3).id).not.toBe(event(2).id);
    expect(waiting()).toEqual(sequences);
  };

  it('once it was attempted', async () => {
    const all = await withUpdate();
    await all.attempt(answered(500));
    await all.tell(updated(3));
    expectApart(all, [2, 3]);
  });

  it('while its attempt is under way', async () => {
    const all = await withUpdate();
    all.book.begin(all.endpoint(), T);
    await all.tell(updated(3));
    expectApart(all, [2, 3]);
  });

  it('once it was attempted and its endpoint enabled again', async () => {
    const all = await withUpdate();
    await all.attempt(answered(500));
    await all.commit(all.book.restart('we_01', T));
    await all.tell(updated(3));
    expectApart(all, [2, 3]);
  });

  it('once it was delivered', async () => {
    const all = await withUpdate();
    await all.attempt(answered(200));
    await all.tell(updated(3));
    expectApart(all, [3]);
  });

  it('once it was delivered and is sent again', async () => {
    const all = await withUpdate();
    await all.attempt(answered(200));
    await all.commit(all.book.again(all.event(2), T));
    await all.tell(updated(3));
    expectApart(all, [2, 3]);
  });
});

describe('what is sent again', () => {
  it('keeps its id and sequence, and goes before what is newer of its alert', async () => {
    const { book, tell, attempt, event, waiting, commit } = await opened();
    await tell(fired());
    await attempt(answered(200));
    await tell(resolved(2));

    await commit(book.again(event(1), T));

    expect(waiting()).toEqual([1, 2]);
    expect(await attempt(answered(200))).toMatchObject({ id: event(1).id, sequence: 1, attempt: 1 });
    expect(await attempt(answered(200))).toMatchObject({ id: event(2).id, sequence: 2 });
  });

  it('is sent once though it is asked for twice, or waits already', async () => {
    const { book, tell, event, waiting } = await opened();
    await tell(fired());

    expect(book.again(event(1), T)).toEqual([]);
    expect(waiting()).toEqual([1]);
  });
});

describe('an attempt', () => {
  it('is in the log of deliveries, with what was answered', async () => {
    const { tell, attempt, deliveries, event } = await opened();
    await tell(fired());

    await attempt(answered(500, 'out of order'));
    await attempt({ kind: 'unanswered', why: 'refused' }, T + 5_000);
    await attempt(answered(204), T + HOUR);

    const common = { id: event(1).id, sequence: 1, type: 'alert.fired', durationMs: 20 };
    expect(deliveries()).toEqual([
      { ...common, attempt: 3, at: T + HOUR, status: 204, error: null, answer: '', result: 'delivered', nextAt: null },
      { ...common, attempt: 2, at: T + 5_000, status: null, error: 'refused', answer: null, result: 'retry', nextAt: T + 5 * MINUTE },
      { ...common, attempt: 1, at: T, status: 500, error: 'it answered 500', answer: 'out of order', result: 'retry', nextAt: T + 5_000 },
    ]);
  });

  it('is not begun where the endpoint is disabled or wants to be left alone', async () => {
    const { book, tell } = await opened();
    await tell(fired());

    expect(book.begin(anEndpoint({ disabled: 'operator' }), T)).toBeUndefined();
    expect(book.begin(anEndpoint({ pausedUntil: T + 1 }), T)).toBeUndefined();
    expect(book.begin(anEndpoint({ pausedUntil: T }), T)).toBeDefined();
  });

  it('that ends after its endpoint was removed changes nothing', async () => {
    const { book, tell, endpoint } = await opened();
    await tell(fired());
    const { begun } = book.begin(endpoint(), T)!;

    book.remove('we_01');

    expect(book.end(begun, answered(200), T, () => 0)).toBeUndefined();
  });

  it('that ends after its endpoint was changed is told to the changed one', async () => {
    const { book, tell, endpoint } = await opened();
    await tell(fired());
    const { begun } = book.begin(endpoint(), T)!;
    book.put({ ...endpoint(), description: 'new' });

    book.end(begun, answered(500), T, () => 0);

    expect(endpoint()).toMatchObject({ description: 'new', failingSince: T, lastError: 'it answered 500' });
  });

  it('that is under way while its endpoint is enabled is not made twice, and ends as any other', async () => {
    const { book, tell, endpoint, commit, waiting } = await opened();
    await tell(fired(), resolved(2), fired('a-2'));
    const { begun } = book.begin(endpoint(), T)!;

    await commit(book.restart('we_01', T));
    const other = book.begin(endpoint(), T)!;

    expect(other.begun.waiting.subject).toBe('a-2');
    expect(book.begin(endpoint(), T)).toBeUndefined();
    expect(book.end(begun, answered(200), T, () => 0)?.delivery.result).toBe('delivered');
    expect(waiting()).toEqual([2, 3]);
  });
});

describe('the end of an alert', () => {
  it('waits for its fired, until that has been given up', async () => {
    const { tell, attempt, types, deliveries } = await opened();
    await tell(fired(), resolved(2));
    let now = T;
    for (let delivery = await attempt(answered(500)); delivery.result === 'retry'; delivery = await attempt(answered(500), now)) {
      now = delivery.nextAt!;
    }

    expect(deliveries()).toHaveLength(10);
    expect(await attempt(answered(200), now)).toMatchObject({ sequence: 2, result: 'delivered' });
    expect(types()).toEqual(['alert.fired', 'alert.resolved']);
  });

  it('is told once, and to those alone who were told of the alert', async () => {
    const { tell, types } = await opened({ severity: 'critical' });

    await tell(fired(), resolved(2), aTransition('fired', { id: 'a-2', severity: 'critical' }), resolved(2, 'a-2'), resolved(3, 'a-2'));

    expect(types()).toEqual(['alert.fired', 'alert.resolved']);
  });
});

it('a ping is an event of its own, and waits for no alert', async () => {
  const { book, tell, endpoint, commit, attempt, event } = await opened();
  await tell(fired());
  await attempt(answered(500));

  const { sequence, changes } = book.ping(endpoint(), 'msg_0ff', T);
  await commit(changes);

  expect(sequence).toBe(2);
  expect(event(2)).toEqual({ id: 'msg_0ff', endpoint: 'we_01', sequence: 2, type: 'ping', at: T, alert: null });
  expect(await attempt(answered(200))).toMatchObject({ id: 'msg_0ff', type: 'ping', result: 'delivered' });
});
