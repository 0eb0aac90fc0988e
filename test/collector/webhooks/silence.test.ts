/** What the watch says of silenced alerts, and what an endpoint is told of it. */
import { describe, expect, it } from 'vitest';
import { openMemoryState } from '../../../backbone/memory.ts';
import { fromBytes } from '../../../collector/rows.ts';
import { Book } from '../../../collector/webhooks/book.ts';
import type { WebhookEvent } from '../../../collector/webhooks/event.ts';
import { EVENTS } from '../../../collector/webhooks/tables.ts';
import { birth, fold, type Line, MINUTE, MONDAY, report, serial, terminal, tick } from '../../watch/support/log.ts';
import { anEndpoint } from './examples.ts';

const at = (m: number): number => MONDAY + m * MINUTE;
const operator = (m: number, body: object): Line => ({ at: at(m), operator: { by: 'noc-1', id: 's', ...body } });
const silence = (m: number, more: object = {}): Line => operator(m, { op: 'silence', match: { merchant: 'm-1' }, ...more });
/** Offline at minute 10 and critical at minute 70. */
const silent = [terminal(MONDAY, serial(1)), birth(MONDAY)];

/** What an endpoint is told of a log, with the minute. */
async function told(...lines: Line[]): Promise<string[]> {
  const state = openMemoryState();
  const book = new Book(state);
  await state.commit(book.put(anEndpoint()));
  await state.commit(book.tell(fold(lines), 1, MONDAY));
  return [...state.rows(EVENTS)].map(({ value }) => {
    const { at: when, type, alert } = fromBytes<WebhookEvent>(value);
    return `${(when - MONDAY) / MINUTE} ${type} ${alert!.severity}`;
  });
}

describe('an endpoint', () => {
  it('is told at the end of a silence of what still fires, as it is then', async () => {
    expect(await told(...silent, silence(1, { until: at(80) }), tick(at(90)))).toEqual(['80 alert.fired critical']);
  });

  it('is told nothing of what began and ended in a silence', async () => {
    expect(await told(...silent, silence(1, { until: at(80) }), report(at(20), 1), tick(at(29)))).toEqual([]);
  });

  it('that was told before the silence hears of the end in it', async () => {
    expect(await told(...silent, silence(20), report(at(80), 1))).toEqual(['10 alert.fired warning', '80 alert.resolved critical']);
  });

  it('that was told before the silence hears after it how things are', async () => {
    expect(await told(...silent, silence(20, { until: at(80) }), tick(at(90)))).toEqual([
      '10 alert.fired warning',
      '80 alert.updated critical',
    ]);
  });
});
