import { describe, expect, it } from 'vitest';
import { signedHeaders } from '../../collector/webhooks/signature.ts';
import type { Delivery } from '../helpers/receiver.ts';
import { problemsOf } from './deliveries.ts';

const KEY = Buffer.alloc(24, 1);

function delivery(sequence: number, alert: string, { id = `msg_${sequence}`, key = KEY, seq = sequence } = {}): Delivery {
  const body = Buffer.from(JSON.stringify({ type: 'alert.updated', timestamp: '', sequence, data: { id: alert, seq } }));
  return { headers: { ...signedHeaders(id, 1_763_798_400, body, [key]) }, body };
}

const good = () => [delivery(1, 'a'), delivery(2, 'b'), delivery(2, 'b'), delivery(3, 'a')];

describe('the checker of deliveries', () => {
  it('finds nothing wrong with events that came at least once, in the order of each alert', () => {
    expect(problemsOf(good(), { events: 3, key: KEY })).toEqual([]);
    expect(problemsOf([delivery(2, 'b'), delivery(1, 'a'), delivery(3, 'a')], { events: 3, key: KEY })).toEqual([]);
  });

  it.each([
    ['a planted loss', [delivery(1, 'a'), delivery(3, 'a')], /event 2 never came/],
    ['an event that nobody numbered', [...good(), delivery(4, 'a')], /event 4 is none/],
    [
      'an alert that is told backwards',
      [delivery(3, 'a'), delivery(2, 'b'), delivery(1, 'a')],
      /event 1 of alert a came after its event 3/,
    ],
    ['an event under two ids', [...good(), delivery(3, 'a', { id: 'msg_9' })], /event 3 came as msg_3 and as msg_9/],
    [
      'two events under one id',
      [delivery(1, 'a'), delivery(2, 'b', { id: 'msg_1' }), delivery(3, 'a')],
      /two events share an id|two contents/,
    ],
    ['an id with two contents', [...good(), delivery(3, 'a', { seq: 9 })], /msg_3 came with two contents/],
    ['a forged signature', [...good(), delivery(3, 'a', { key: Buffer.alloc(24, 2) })], /no signature fits/],
  ])('catches %s', (_, deliveries, problem) => {
    expect(problemsOf(deliveries, { events: 3, key: KEY }).join('\n')).toMatch(problem);
  });
});
