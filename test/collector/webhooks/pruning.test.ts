import { describe, expect, it } from 'vitest';
import { openMemoryState } from '../../../backbone/memory.ts';
import type { Change } from '../../../backbone/state.ts';
import { toBytes } from '../../../collector/rows.ts';
import { Book, type Delivery } from '../../../collector/webhooks/book.ts';
import type { WebhookEvent } from '../../../collector/webhooks/event.ts';
import { pruned } from '../../../collector/webhooks/pruning.ts';
import { DELIVERIES, deliveryKey, ENDPOINTS, EVENTS, eventKey, TOLD, toldKey, WAITING } from '../../../collector/webhooks/tables.ts';
import { anEndpoint, aWaiting, DAY, T } from './examples.ts';

const OLD = T - 30 * DAY - 1;
const TABLES = [EVENTS, WAITING, TOLD, DELIVERIES];

/** A state of two endpoints, whose ids begin alike. */
class Rows {
  readonly state = openMemoryState();
  readonly #changes: Change[] = [];

  constructor(sequence = 0) {
    for (const id of ['we_0', 'we_01']) this.put(ENDPOINTS, id, anEndpoint({ id, sequence }));
  }

  put(table: string, key: string, row: unknown): void {
    this.#changes.push({ table, key, value: toBytes(row) });
  }

  async book(): Promise<Book> {
    await this.state.commit(this.#changes);
    return new Book(this.state);
  }

  /** An event of before, that waits. */
  event(endpoint: string, sequence: number, at: number): void {
    const event: WebhookEvent = { id: `msg_${sequence}`, endpoint, sequence, type: 'ping', at, alert: null };
    this.put(EVENTS, eventKey(endpoint, sequence), event);
    this.put(WAITING, eventKey(endpoint, sequence), aWaiting({ id: event.id, sequence, type: 'ping', subject: event.id }));
  }

  delivery(endpoint: string, n: number, at: number): void {
    const delivery: Pick<Delivery, 'id' | 'attempt' | 'at'> = { id: `msg_${n}`, attempt: 1, at };
    this.put(DELIVERIES, deliveryKey(endpoint, delivery), delivery);
  }

  keys = (table: string) => [...this.state.rows(table)].map(({ key }) => key);
}

/** Prunes until nothing is left to go; how many rows went at each step. */
async function pruneAll({ state }: Rows, book: Book): Promise<number[]> {
  const steps: number[] = [];
  for (let more = true; more; ) {
    const step = pruned(book, state, T);
    await state.commit(step.changes);
    steps.push(step.changes.length);
    more = step.more;
  }
  return steps;
}

describe('what is old goes', () => {
  it('of deliveries, after thirty days, at each endpoint', async () => {
    const rows = new Rows();
    for (const endpoint of ['we_0', 'we_01']) {
      for (const [n, at] of [OLD - DAY, OLD, OLD + 1, T].entries()) rows.delivery(endpoint, n, at);
    }

    await pruneAll(rows, await rows.book());

    const kept = (endpoint: string) => [T, OLD + 1].map((at, i) => deliveryKey(endpoint, { at, id: `msg_${3 - i}`, attempt: 1 }));
    expect(rows.keys(DELIVERIES)).toEqual([...kept('we_0'), ...kept('we_01')]);
  });

  it('of events, after thirty days, and is not delivered any more', async () => {
    const rows = new Rows(4);
    for (const endpoint of ['we_0', 'we_01']) {
      for (const [i, at] of [OLD - DAY, OLD, OLD + 1, T].entries()) rows.event(endpoint, i + 1, at);
    }
    const book = await rows.book();

    await pruneAll(rows, book);

    const kept = ['we_0', 'we_01'].flatMap((endpoint) => [3, 4].map((sequence) => eventKey(endpoint, sequence)));
    expect(rows.keys(EVENTS)).toEqual(kept);
    expect(rows.keys(WAITING)).toEqual(kept);
    expect([...book.lines.get('we_0')!].map(({ sequence }) => sequence)).toEqual([3, 4]);
  });

  it('but not while it is under way: another attempt may follow, and needs it', async () => {
    const rows = new Rows(2);
    for (const sequence of [1, 2]) rows.event('we_01', sequence, OLD);
    const book = await rows.book();
    const { begun } = book.begin(book.endpoints.get('we_01')!, T)!;

    await pruneAll(rows, book);
    const during = rows.keys(EVENTS);
    const ended = book.end(begun, { kind: 'unanswered', why: 'refused' }, T, Math.random);
    await rows.state.commit(ended!.changes);
    await pruneAll(rows, book);

    expect(during).toEqual([eventKey('we_01', 1), eventKey('we_01', 2)]);
    expect([rows.keys(EVENTS), rows.keys(WAITING), book.lines.get('we_01')!.size]).toEqual([[], [], 0]);
  });
});

it('of an endpoint with too many events, the oldest go', async () => {
  const rows = new Rows(100_003);
  for (const sequence of [1, 2, 3, 4, 5]) rows.event('we_01', sequence, T);

  await pruneAll(rows, await rows.book());

  expect(rows.keys(EVENTS)).toEqual([eventKey('we_01', 4), eventKey('we_01', 5)]);
  expect(rows.keys(WAITING)).toEqual(rows.keys(EVENTS));
});

it('of an endpoint that was removed everything goes, and nothing of another one, though its id begins alike', async () => {
  const rows = new Rows();
  for (const endpoint of ['we_0', 'we_01', 'we_012']) {
    rows.event(endpoint, 1, T);
    rows.delivery(endpoint, 1, T);
    rows.put(TOLD, toldKey(endpoint, 'a-1'), true);
  }
  const book = await rows.book();
  await rows.state.commit(book.remove('we_0'));

  await pruneAll(rows, book);

  for (const table of TABLES) {
    expect([table, rows.keys(table)]).toEqual([table, [expect.stringMatching(/^we_01\./)]]);
  }
});

describe('a step', () => {
  it('is of some thousand rows at most, and says whether there are others', async () => {
    const rows = new Rows();
    for (let n = 0; n < 4_100; n++) rows.delivery('we_01', n, OLD - n);
    rows.delivery('we_01', 9_999, T);

    expect(await pruneAll(rows, await rows.book())).toEqual([2_001, 2_001, 101]);
    expect(rows.keys(DELIVERIES)).toHaveLength(1);
  });

  it('counts what is delivered no more, and keeps so many of the log as are kept', async () => {
    const rows = new Rows(3);
    for (const [i, at] of [OLD, OLD, T].entries()) rows.event('we_01', i + 1, at);
    for (let n = 0; n < 13; n++) rows.delivery('we_0', n, T - n);
    const book = await rows.book();
    book.endpoints.get('we_0')!.deliveries = 13;

    const { undelivered, changes } = pruned(book, rows.state, T, 10);
    await rows.state.commit(changes);

    expect([...undelivered].map(([{ id }, count]) => [id, count])).toEqual([['we_01', 2]]);
    expect(rows.keys(DELIVERIES)).toHaveLength(10);
    expect(rows.keys(DELIVERIES)[0]).toContain('msg_0');
  });

  it('is none where nothing is old', async () => {
    const rows = new Rows(1);
    rows.event('we_01', 1, T);
    rows.delivery('we_01', 1, T);

    expect(pruned(await rows.book(), rows.state, T)).toMatchObject({ changes: [], more: false });
    expect(pruned(new Book(openMemoryState()), openMemoryState(), T)).toMatchObject({ changes: [], more: false });
  });

  it('that begins with deliveries leaves no event behind that waits for nothing', async () => {
    const rows = new Rows(30);
    for (let n = 0; n < 1_990; n++) rows.delivery('we_01', n, OLD - n);
    for (let sequence = 1; sequence <= 30; sequence++) rows.event('we_01', sequence, OLD);

    await pruneAll(rows, await rows.book());

    for (const table of TABLES) expect(rows.keys(table)).toEqual([]);
  });
});
