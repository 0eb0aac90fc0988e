import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../../protocol/schemas/messages.ts';
import { currentSession, noteMessage, placeSample, type SessionNote, type Sessions } from '../../../watch/fleet/sessions.ts';
import { DAY, HOUR, MINUTE, MONDAY, SEED } from '../support/log.ts';

const birth = (session: string, at = MONDAY): Message => ({ channel: 'birth', body: { v: 1, session, at, interval: 300, keepalive: 60 } });
const report = (session: string, seq: number, ...at: number[]): Message => ({
  channel: 'report',
  body: { v: 1, session, seq, samples: (at.length ? at : [MONDAY]).map((a) => ({ at: a })) },
});
const lost = (session: string): Message => ({ channel: 'state', body: { v: 1, session, state: 'lost' } });

interface Holder {
  sessions: Sessions;
}

/** Notes all, each received at MONDAY; gives the note of the last. */
function note(t: Holder, ...messages: Message[]): SessionNote {
  return messages.map((m) => noteMessage(t, m, MONDAY)).at(-1)!;
}

describe('the sequence of a session', () => {
  it('tells new from repeated whatever the order, while its gaps are few', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(90), { maxLength: 300 }), (seqs) => {
        const t: Holder = { sessions: [] };
        const seen = new Set<number>();
        note(t, birth('s'));
        for (const seq of seqs) {
          expect([seq, note(t, report('s', seq)).fresh]).toEqual([seq, !seen.has(seq)]);
          seen.add(seq);
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('is counted for each session by itself', () => {
    const t: Holder = { sessions: [] };

    const notes = [birth('a'), report('a', 1), birth('b'), report('b', 1), report('a', 1), report('a', 2)].map((m) => note(t, m).fresh);

    expect(notes).toEqual([true, true, true, true, false, true]);
  });

  it('is shared by reports and events', () => {
    const t: Holder = { sessions: [] };
    const event: Message = { channel: 'event', body: { v: 1, session: 's', seq: 4, at: MONDAY, type: 'power.low' } };

    expect(note(t, birth('s'), report('s', 4), event).fresh).toBe(false);
  });

  it('is remembered over any number of reconnects, so that what is sent again counts once', () => {
    const t: Holder = { sessions: [] };
    note(t, birth('s-0'));
    note(t, report('s-0', 1));
    for (let n = 1; n <= 100; n++) note(t, birth(`s-${n}`));

    expect(note(t, report('s-0', 1)).fresh).toBe(false);
    expect(note(t, report('s-0', 2)).fresh).toBe(true);
  });

  it('keeps to a bounded memory however many gaps and sessions there are', () => {
    const t: Holder = { sessions: [] };
    note(t, birth('s'));

    for (let n = 0; n < 5000; n++) note(t, report('s', n * 2), report(`old-${n}`, 1));
    const size = JSON.stringify(t.sessions).length;
    for (let n = 5000; n < 9000; n++) note(t, report('s', n * 2), report(`old-${n}`, 1));

    expect(size).toBeLessThan(30_000);
    expect(JSON.stringify(t.sessions).length).toBeLessThan(size + 200);
    expect(note(t, report('s', 8999 * 2)).fresh).toBe(false);
  });

  it('costs one range where there are no gaps', () => {
    const t: Holder = { sessions: [] };
    note(t, birth('s'));

    for (let n = 0; n < 1000; n++) note(t, report('s', n));

    expect(currentSession(t.sessions)!.seen).toEqual([0, 999]);
  });
});

describe('the current session', () => {
  it('is that of the newest birth', () => {
    const t: Holder = { sessions: [] };

    expect(note(t, birth('a'))).toMatchObject({ began: true, current: true });
    expect(note(t, birth('b'))).toMatchObject({ began: true, current: true });
    expect(note(t, lost('a')).current).toBe(false);
    expect(note(t, lost('b')).current).toBe(true);
  });

  it('is not taken over by the backlog of a session that ended', () => {
    const t: Holder = { sessions: [] };
    note(t, birth('a'), birth('b'), report('a', 7));

    expect(note(t, report('never-heard-of', 1))).toMatchObject({ fresh: true, current: false, began: false });
    expect(currentSession(t.sessions)!.id).toBe('b');
  });

  it('is not taken over by the repeated birth of a session that ended', () => {
    const t: Holder = { sessions: [] };

    expect(note(t, birth('a'), birth('b'), birth('a'))).toMatchObject({ began: false, current: false });
  });

  it('is that of the messages where there was no birth', () => {
    const t: Holder = { sessions: [] };

    expect(note(t, report('a', 1))).toMatchObject({ began: true, current: true });
    expect(note(t, lost('a')).current).toBe(true);
  });

  it('is never a session that only a Will spoke of', () => {
    const t: Holder = { sessions: [] };

    expect(note(t, lost('ghost'))).toMatchObject({ began: false, current: false });
    expect(note(t, birth('a')).current).toBe(true);
  });

  it('is not ended by a birth that is replayed from quarantine, but begun where there is none', () => {
    const t: Holder = { sessions: [] };
    note(t, birth('a'));

    expect(noteMessage(t, birth('older'), MONDAY - HOUR, { replayed: true })).toMatchObject({ began: false, current: false });
    expect(noteMessage({ sessions: [] }, birth('only'), MONDAY - HOUR, { replayed: true })).toMatchObject({ began: true, current: true });
  });

  it('outlives any number of others', () => {
    const t: Holder = { sessions: [] };
    note(t, birth('mine'));

    for (let n = 0; n < 50; n++) note(t, report(`old-${n}`, 1), lost(`older-${n}`));

    expect(note(t, lost('mine')).current).toBe(true);
  });
});

describe("a sample's place in time", () => {
  const placeAfter = (born: number, at: number): number => {
    const t: Holder = { sessions: [] };
    noteMessage(t, birth('s', born), MONDAY);
    const { skewMs } = noteMessage(t, report('s', 1, at), MONDAY + MINUTE);
    return placeSample(at, skewMs);
  };

  it.each([0, 5 * MINUTE, -5 * MINUTE])('is its own where the clock was off by %i ms', (off) => {
    expect(placeAfter(MONDAY - off, MONDAY - off + 1000)).toBe(MONDAY - off + 1000);
  });

  it.each([5 * MINUTE + 1, -5 * MINUTE - 1, 3 * 365 * DAY, -40 * DAY])(
    'is put right by the skew of the birth where it was off by %i ms',
    (off) => {
      expect(placeAfter(MONDAY - off, MONDAY - off + 1000)).toBe(MONDAY + 1000);
    },
  );

  it('stays the same when the birth is repeated with another clock', () => {
    const t: Holder = { sessions: [] };
    noteMessage(t, birth('s', MONDAY - DAY), MONDAY);
    noteMessage(t, birth('s', MONDAY + HOUR), MONDAY + HOUR);

    expect(noteMessage(t, report('s', 1, MONDAY - DAY), MONDAY + HOUR).skewMs).toBe(DAY);
  });

  it('is its own for what was sampled while disconnected, of a session whose clock was right', () => {
    const t: Holder = { sessions: [] };
    noteMessage(t, birth('old', MONDAY), MONDAY);
    noteMessage(t, birth('new', MONDAY + DAY), MONDAY + DAY);

    const { skewMs } = noteMessage(t, report('old', 40, MONDAY + HOUR), MONDAY + DAY);

    expect(placeSample(MONDAY + HOUR, skewMs)).toBe(MONDAY + HOUR);
  });

  it('is shifted for what was sampled while disconnected, of a session whose clock was wrong', () => {
    const t: Holder = { sessions: [] };
    noteMessage(t, birth('old', MONDAY - 2 * DAY), MONDAY);
    noteMessage(t, birth('new', MONDAY + DAY), MONDAY + DAY);

    const { skewMs } = noteMessage(t, report('old', 40, MONDAY - 2 * DAY + HOUR), MONDAY + DAY);

    expect(placeSample(MONDAY - 2 * DAY + HOUR, skewMs)).toBe(MONDAY + HOUR);
  });

  it('without a birth is its own for a day-old backlog, and put right for a clock that is ahead or says 1970', () => {
    const place = (at: number): number => placeSample(at, noteMessage({ sessions: [] }, report('s', 1, at), MONDAY).skewMs);

    expect([place(MONDAY - DAY), place(MONDAY + HOUR), place(1000)]).toEqual([MONDAY - DAY, MONDAY, MONDAY]);
  });
});
