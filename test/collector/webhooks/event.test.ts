import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyOf, eventId, type WebhookEvent } from '../../../collector/webhooks/event.ts';
import type { Evidence } from '../../../protocol/alerts.ts';
import { anAlert, T } from './examples.ts';

const MAX_BYTES = 20_000;

const anEvent = (changes: Partial<WebhookEvent> = {}): WebhookEvent => ({
  id: 'msg_01',
  endpoint: 'we_01',
  sequence: 7,
  type: 'alert.fired',
  at: T,
  alert: anAlert(),
  ...changes,
});

const read = (body: Buffer) => JSON.parse(body.toString());
const observation = (value: string): Evidence => ({ what: 'bound', value, at: T });
const withEvidence = (evidence: Evidence[]) => anEvent({ alert: anAlert({ evidence }) });

describe('the body of an event', () => {
  it.each(['alert.fired', 'alert.updated', 'alert.resolved'] as const)(
    'of %s is its type, time, sequence and alert, and nothing else',
    (type) => {
      const remedy = [expect.stringContaining('Unbind terminals')];

      expect(read(bodyOf(anEvent({ type }), 'en'))).toEqual({
        type,
        timestamp: '2025-11-22T08:00:00.000Z',
        sequence: 7,
        data: { ...anAlert(), remedy },
      });
    },
  );

  it('of a ping names its endpoint', () => {
    const ping = anEvent({ type: 'ping', alert: null, at: T + 123 });

    expect(bodyOf(ping, 'en').toString()).toBe(
      '{"type":"ping","timestamp":"2025-11-22T08:00:00.123Z","sequence":7,"data":{"endpoint":"we_01"}}',
    );
  });

  it.each([
    ['en', 'Unbind terminals that were replaced', 'The limit was lowered'],
    ['zh', '请解绑已更换或停用的终端', '上限已被调低'],
  ] as const)('says what to do in %s, for the reason and for the cause', (language, forReason, forCause) => {
    const event = anEvent({ alert: anAlert({ cause: 'limit_cut', remedy: ['as it was written down'] }) });

    expect(read(bodyOf(event, language)).data.remedy).toEqual([expect.stringContaining(forReason), expect.stringContaining(forCause)]);
  });

  it('is the same bytes each time, and leaves the event as it is', () => {
    const event = withEvidence(Array.from({ length: 900 }, () => observation('x'.repeat(40))));
    const before = structuredClone(event);

    expect(bodyOf(event, 'en')).toEqual(bodyOf(event, 'en'));
    expect(event).toEqual(before);
  });
});

describe('a body with much evidence', () => {
  it('is under 20 kB, can be read, and has the first observations', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.constantFrom('终端'.repeat(20), '"'.repeat(50), '\0'.repeat(30)),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 3 }), fc.integer({ min: 0, max: 400 }), (texts, count) => {
        const evidence = Array.from({ length: count }, (_, i) => observation(`${i} ${texts[i % texts.length] ?? ''}`));
        const body = bodyOf(withEvidence(evidence), 'zh');
        const kept: Evidence[] = read(body).data.evidence;

        expect(body.length).toBeLessThan(MAX_BYTES);
        expect(kept).toEqual(evidence.slice(0, kept.length));
        // Halved until it fits: there was no room for twice as many, and one more.
        if (kept.length < evidence.length) {
          const more = { ...read(body), data: { ...read(body).data, evidence: evidence.slice(0, 2 * kept.length + 1) } };
          expect(Buffer.byteLength(JSON.stringify(more))).toBeGreaterThanOrEqual(MAX_BYTES);
        }
      }),
      { seed: 7, numRuns: 20 },
    );
  });

  it('keeps all of it up to the last byte, and not beyond', () => {
    const bytes = bodyOf(withEvidence([observation('')]), 'en').length;
    const upTo = (total: number) => bodyOf(withEvidence([observation('x'.repeat(total - bytes))]), 'en');

    expect(upTo(MAX_BYTES - 1)).toHaveLength(MAX_BYTES - 1);
    expect(read(upTo(MAX_BYTES)).data.evidence).toEqual([]);
  });

  it('loses one observation that alone is too much, and no other member', () => {
    const body = bodyOf(withEvidence([observation('x'.repeat(1_000_000))]), 'en');

    expect(read(body).data).toEqual({ ...anAlert(), evidence: [], remedy: [expect.any(String)] });
  });
});

describe('the id of an event', () => {
  const alert = anAlert({ id: 'a-1', seq: 3 });

  it('follows from endpoint, alert and count, on every machine', () => {
    expect(eventId('we_01', alert)).toBe('msg_0d30cf8ef645ea9f0e7d2af4');
    expect(eventId('we_01', { ...alert, severity: 'critical', updatedAt: T + 1 })).toBe(eventId('we_01', alert));
  });

  it('is another one for another endpoint, alert or count, also where their texts run together', () => {
    const ids = [
      eventId('we_01', alert),
      eventId('we_02', alert),
      eventId('we_01', { ...alert, id: 'a-2' }),
      eventId('we_01', { ...alert, seq: 4 }),
      eventId('we_01a', { ...alert, id: '-1' }),
      eventId('we_01', { ...alert, id: 'a-1,3', seq: 1 }),
    ];

    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^msg_[0-9a-f]{24}$/);
  });
});
