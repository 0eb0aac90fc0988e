import { describe, expect, it } from 'vitest';
import type { MessageEntry } from '../../protocol/entries.ts';
import type { Message } from '../../protocol/schemas/messages.ts';
import { factsOf, placedSamples } from '../../watch/facts.ts';
import type { Sessions } from '../../watch/fleet/sessions.ts';
import { DAY, HOUR, MINUTE, MONDAY } from './support/log.ts';

function entry(at: number, message: Message): MessageEntry {
  return { kind: 'message', at, node: 'a', acquirer: 'acme', sn: 'SN000001', channel: message.channel, decoded: { ok: true, message } };
}

const birth = (at: number): Message => ({ channel: 'birth', body: { v: 1, session: 's', at, interval: 300, keepalive: 60 } });
const report = (...at: number[]): Message => ({
  channel: 'report',
  body: { v: 1, session: 's', seq: 1, samples: at.map((a) => ({ at: a })) },
});

const places = (skew: number, ...at: number[]) => placesAfter({ bornAt: MONDAY - MINUTE, skew }, ...at);

/** Where samples stand that came at MONDAY, in a session whose clock was off by `skew` at its birth; `steps`: ours, before and since. */
function placesAfter({ bornAt = 0, skew = 0, steps = [0, 0] }, ...at: number[]) {
  const t: { sessions: Sessions } = { sessions: [] };
  const [before, since] = steps as [number, number];
  factsOf(entry(bornAt, birth(bornAt - skew)), t, before);
  const placed = placedSamples(factsOf(entry(MONDAY, report(...at)), t, before + since), MONDAY);
  return { at: placed.samples.map((s) => s.at), impossible: placed.impossible };
}

describe('a sample', () => {
  it('stands at its own time where the clock was right at the birth, however old it is', () => {
    expect(places(0, MONDAY, MONDAY - 30 * DAY)).toEqual({ at: [MONDAY, MONDAY - 30 * DAY], impossible: [] });
  });

  it('is shifted where the clock was years off', () => {
    const off = 10 * 365 * DAY;

    expect(places(off, MONDAY - off, MONDAY - off - HOUR)).toEqual({ at: [MONDAY, MONDAY - HOUR], impossible: [] });
    expect(places(-off, MONDAY + off)).toEqual({ at: [MONDAY], impossible: [] });
  });

  it('stands at its own time once the clock was put right within its session', () => {
    expect(places(3 * DAY, MONDAY - MINUTE)).toEqual({ at: [MONDAY - MINUTE], impossible: [] });
  });

  it('stands at its own time where our own clock was put back since, as if it had not been', () => {
    const born = { bornAt: MONDAY + HOUR - MINUTE };

    expect(placesAfter({ ...born, steps: [0, -HOUR] }, MONDAY + HOUR)).toEqual({ at: [MONDAY + HOUR], impossible: [] });
    expect(placesAfter({ ...born, steps: [HOUR, -HOUR] }, MONDAY + HOUR)).toEqual({ at: [MONDAY + HOUR], impossible: [] });
    expect(placesAfter({ ...born, steps: [0, -HOUR] }, MONDAY + 2 * HOUR)).toEqual({ at: [], impossible: [0] });
    expect(placesAfter({ ...born, steps: [-HOUR, 0] }, MONDAY + HOUR)).toEqual({ at: [], impossible: [0] });
  });

  it('that lies ahead of its receipt, or before any backlog, is not taken, and its neighbours are', () => {
    expect(places(0, MONDAY + 10 * 365 * DAY, MONDAY - HOUR, 0)).toEqual({ at: [MONDAY - HOUR], impossible: [0, 2] });
  });
});
