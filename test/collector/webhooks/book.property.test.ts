import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openMemoryState } from '../../../backbone/memory.ts';
import type { Change } from '../../../backbone/state.ts';
import { fromBytes } from '../../../collector/rows.ts';
import { Book } from '../../../collector/webhooks/book.ts';
import type { EventType } from '../../../collector/webhooks/endpoint.ts';
import type { WebhookEvent } from '../../../collector/webhooks/event.ts';
import type { Answer } from '../../../collector/webhooks/post.ts';
import { EVENTS, eventKey } from '../../../collector/webhooks/tables.ts';
import type { Alert, Transition } from '../../../protocol/alerts.ts';
import { anAlert, anEndpoint, DAY, T } from './examples.ts';

/** One wants all that is acme's, one what is critical there, one everything of everybody. */
const ENDPOINTS = [
  anEndpoint({ id: 'we_01' }),
  anEndpoint({ id: 'we_02', severity: 'critical' }),
  anEndpoint({ id: 'we_03', acquirer: null }),
];
const ALERTS = 2;
const OK: Answer = { kind: 'answered', status: 204, retryAfter: undefined, text: '' };
const FAILED: Answer = { kind: 'unanswered', why: 'refused' };

/** An event as it must be by now. */
interface Expected {
  sequence: number;
  type: EventType;
  alert: string | null;
  seq: number | null;
  tried: boolean;
  waits: boolean;
}

/** Two installations of the same history: the real one, which ends and starts again after each step, and what it must have written. */
class History {
  readonly state = openMemoryState();
  book!: Book;
  now = T;
  outbox = 0;
  readonly expected = new Map<string, Expected[]>(ENDPOINTS.map(({ id }) => [id, []]));
  readonly firing: (Alert | null)[] = Array(ALERTS).fill(null);
  #opened = 0;

  async begin(): Promise<void> {
    this.book = new Book(this.state);
    await this.commit(ENDPOINTS.flatMap((endpoint) => this.book.put({ ...endpoint })));
  }

  /** Commits, and starts again from what is on disk. */
  async commit(changes: readonly Change[]): Promise<void> {
    await this.state.commit(changes);
    this.book = new Book(this.state);
  }

  transition(n: number, severity: Alert['severity'], resolves: boolean): Transition {
    const before = this.firing[n];
    const opening = { id: `a-${n}-${before ? 0 : ++this.#opened}`, subject: { acquirer: n === 0 ? 'bolt' : 'acme' } };
    const alert = before ? { ...before, severity, seq: before.seq + 1 } : anAlert({ ...opening, severity });
    const isEnd = before !== null && resolves;
    this.firing[n] = isEnd ? null : alert;
    return { at: this.now, transition: isEnd ? 'resolved' : before ? 'updated' : 'fired', alert };
  }

  /** What a transition makes of an endpoint's events, said anew. */
  expectTold({ id, acquirer, severity }: (typeof ENDPOINTS)[number], { transition, alert }: Transition): void {
    const events = this.expected.get(id)!;
    const ofAlert = events.filter((event) => event.alert === alert.id);
    const passes = (acquirer === null || alert.subject.acquirer === acquirer) && (severity === 'info' || alert.severity === 'critical');
    if (ofAlert.length === 0 && (transition === 'resolved' || !passes)) return;
    const type = ofAlert.length === 0 ? 'alert.fired' : transition === 'resolved' ? 'alert.resolved' : 'alert.updated';
    const last = ofAlert.at(-1);
    if (type === 'alert.updated' && last?.type === type && last.waits && !last.tried) last.seq = alert.seq;
    else events.push({ sequence: events.length + 1, type, alert: alert.id, seq: alert.seq, tried: false, waits: true });
  }

  find = (endpoint: string, sequence: number) => this.expected.get(endpoint)!.find((event) => event.sequence === sequence)!;

  written(endpoint: string): Expected[] {
    const waiting = new Map([...this.book.lines.get(endpoint)!].map((one) => [one.sequence, one]));
    return [...this.state.rows(EVENTS, { after: endpoint })]
      .map(({ value }) => fromBytes<WebhookEvent>(value))
      .filter((event) => event.endpoint === endpoint)
      .map(({ sequence, type, alert }) => {
        const { tried } = waiting.get(sequence) ?? this.find(endpoint, sequence);
        return { sequence, type, alert: alert?.id ?? null, seq: alert?.seq ?? null, tried, waits: waiting.has(sequence) };
      });
  }
}

type Step = (history: History) => Promise<void>;
const named = (name: string, step: Step): Step => Object.assign(step, { [fc.toStringMethod]: () => name });

const endpoints = fc.constantFrom(...ENDPOINTS);
const change = fc.record({
  n: fc.nat(ALERTS - 1),
  severity: fc.constantFrom('info', 'warning', 'critical'),
  resolves: fc.boolean(),
});

const tell = fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) =>
  named(`tell ${JSON.stringify(changes)}`, async (history) => {
    const transitions = changes.map(({ n, severity, resolves }) => history.transition(n, severity, resolves));
    history.outbox += transitions.length;
    for (const transition of transitions) for (const endpoint of ENDPOINTS) history.expectTold(endpoint, transition);
    await history.commit(history.book.tell(transitions, history.outbox, history.now));
  }),
);

/** An attempt that ends well, or not, or (null) is cut off by our own end. */
const attempt = fc.tuple(endpoints, fc.option(fc.constantFrom(OK, FAILED))).map(([{ id }, answer]) =>
  named(`attempt at ${id}: ${answer?.kind ?? 'cut off'}`, async (history) => {
    const { book, now } = history;
    const next = book.begin(book.endpoints.get(id)!, now);
    if (!next) return;
    const expected = history.find(id, next.begun.waiting.sequence);
    const ofAlert = history.expected.get(id)!.filter(({ alert, waits }) => waits && alert === expected.alert);
    if (expected.alert !== null) expect(expected).toBe(ofAlert[0]);
    expected.tried = true;
    await history.state.commit(next.changes);
    const ended = answer && book.end(next.begun, answer, now, () => 0);
    if (ended && (ended.delivery.result === 'delivered' || ended.delivery.result === 'given_up')) expected.waits = false;
    await history.commit(ended?.changes ?? []);
  }),
);

const replay = fc.tuple(endpoints, fc.integer({ min: 1, max: 12 })).map(([{ id }, sequence]) =>
  named(`replay ${sequence} of ${id}`, async (history) => {
    const row = history.state.get(EVENTS, eventKey(id, sequence));
    if (!row) return;
    const expected = history.find(id, sequence);
    if (!expected.waits) Object.assign(expected, { tried: true, waits: true });
    await history.commit(history.book.again(fromBytes<WebhookEvent>(row), history.now));
  }),
);

const ping = endpoints.map(({ id }) =>
  named(`ping ${id}`, async (history) => {
    const { book, now } = history;
    const events = history.expected.get(id)!;
    const { sequence, changes } = book.ping(book.endpoints.get(id)!, `msg_${id}_${events.length}`, now);
    events.push({ sequence: events.length + 1, type: 'ping', alert: null, seq: null, tried: false, waits: true });
    expect(sequence).toBe(events.length);
    await history.commit(changes);
  }),
);

const restart = endpoints.map(({ id }) => named(`restart ${id}`, async (history) => history.commit(history.book.restart(id, history.now))));

const pass = fc.constantFrom(1, 6_000, DAY).map((ms) =>
  named(`pass ${ms} ms`, async (history) => {
    history.now += ms;
  }),
);

it('sequences have no gaps, and events, order and coalescing are as they must be, over any history with an end at each step', async () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 5, arbitrary: tell },
      { weight: 8, arbitrary: attempt },
      { weight: 2, arbitrary: pass },
      { weight: 1, arbitrary: replay },
      { weight: 1, arbitrary: ping },
      { weight: 1, arbitrary: restart },
    ),
    { maxLength: 60, size: 'max' },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const history = new History();
      await history.begin();
      for (const step of all) {
        await step(history);
        expect(history.book.outbox).toBe(history.outbox);
        for (const { id } of ENDPOINTS) {
          expect([id, history.written(id)]).toEqual([id, history.expected.get(id)]);
          expect(history.book.endpoints.get(id)!.sequence).toBe(history.expected.get(id)!.length);
        }
      }
    }),
    { seed: 7, numRuns: 60 },
  );
});
