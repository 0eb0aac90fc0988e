/** coverage.weakening without a drop, place.moved, terminal.unstable: what is seen of a terminal's place and connection. */
import { fallSilent, sendEvent } from '../life/life.ts';
import { placeOf, radioOf } from '../life/sample.ts';
import { anyOf, draw, pick } from '../random.ts';
import { INCIDENT } from '../ranges.ts';
import { type Life, overlay, stage } from '../state.ts';
import { fading } from './offline.ts';
import { due, free, label, MINUTE_MS, minutes, roomFor, type Scene, type Script, subjectOf } from './scene.ts';

/** Reports in a row that a band, a step or a trend takes at most. */
const REPORTS = 6;
const LAG_REPORTS = 2;

/** From an event of its agent until the next: the terminal itself says so. */
export const agentWarns: Script = (scene) => {
  const staged = stagedOn(scene, minutes(scene, INCIDENT.weakHolds));
  if (!staged) return false;
  const { life, from, endsAt } = staged;
  const cause = pick(scene.stream, ['weak_signal', 'falling', 'interference', 'obstructed']);
  const incident = weakening(scene, staged, ['agent'], [cause], 'its agent saw the signal fail');
  const { operator, site } = life.plan;
  const cell = `${operator}-${life.merchant.plan.town.lac}-${site.cell}`;
  stage(life, {
    at: from,
    act: (_, at) => {
      incident.firedBetween = due(scene, at);
      sendEvent(life, at, 'coverage.weakening', { risk: 0.7, cause, cell, rsrp: -112, rsrq: -15, sinr: 1 }, scene.telling);
    },
  });
  stage(life, { at: endsAt, act: (_, at) => sendEvent(life, at, 'coverage.recovered', { risk: 0.05, cell }, scene.telling) });
  return true;
};

/** The signal fades over an hour or so, and comes back. */
export const fades: Script = (scene) => {
  const staged = stagedOn(scene, minutes(scene, INCIDENT.fade), 8);
  if (!staged) return false;
  const { life, from, endsAt } = staged;
  weakening(scene, staged, ['trend', 'band', 'step'], ['weak_signal', 'falling', 'obstructed'], 'the signal faded, and held');
  fading(scene, life, from, endsAt);
  return true;
};

/** Something is put in front of the antenna. */
export const steps: Script = (scene) => {
  const staged = stagedOn(scene, minutes(scene, INCIDENT.weakHolds), REPORTS, (life) => life.plan.site.use === 'fixed');
  if (!staged) return false;
  const db = draw(scene.stream, INCIDENT.stepDb);
  weakening(scene, staged, ['step', 'trend', 'band'], ['obstructed', 'falling', 'weak_signal'], `the signal fell by ${db} dB at once`);
  overlay(staged.life, {
    ...span(staged),
    change: (sample) => {
      const { signal } = sample;
      signal!.rsrp! -= db;
      signal!.rssi! -= db;
      if (sample.radio) sample.radio = radioOf(sample, sample.radio.seconds!);
    },
  });
  return true;
};

/** A strong signal in noise. */
export const interference: Script = (scene) => {
  const staged = stagedOn(scene, minutes(scene, INCIDENT.weakHolds));
  if (!staged) return false;
  weakening(scene, staged, ['band', 'step', 'trend'], ['interference'], 'noise drowned a good signal');
  overlay(staged.life, {
    ...span(staged),
    change: (sample) => {
      sample.signal!.sinr = draw(staged.life.stream, INCIDENT.noisySinrDb);
      sample.signal!.rsrq = draw(staged.life.stream, INCIDENT.noisyRsrqDb);
      if (sample.radio) sample.radio = radioOf(sample, sample.radio.seconds!);
    },
  });
  return true;
};

/** Its modem registers again and again. */
export const reconnects: Script = (scene) => {
  const staged = stagedOn(scene, minutes(scene, INCIDENT.weakHolds));
  if (!staged) return false;
  const { life, from } = staged;
  const incident = weakening(scene, staged, ['reconnects'], ['unknown', 'weak_signal'], 'its connection came and went between reports');
  overlay(life, {
    ...span(staged),
    change: (sample, at) => {
      sample.link!.reconnects = draw(life.stream, INCIDENT.reconnectsPerReport);
      incident.firedBetween ??= due(scene, at, at + Math.max(MINUTE_MS * scene.telling.speed, at - from));
    },
  });
  return true;
};

/** A fixed terminal is carried away. */
export const moves: Script = (scene) => {
  const fits = (life: Life) => life.plan.site.use === 'fixed' && life.plan.knowsPlace;
  const staged = stagedOn(scene, minutes(scene, INCIDENT.movedHolds), REPORTS, fits);
  if (!staged) return false;
  const { life, from, endsAt } = staged;
  const metres = draw(scene.stream, INCIDENT.movedKm) * 1000;
  const incident = label(scene, from, endsAt, {
    type: 'place.moved',
    reason: ['moved'],
    cause: ['unknown', 'relocated'],
    subject: subjectOf(life),
    members: [life.sn],
    what: `it was ${metres / 1000} km from its registered place`,
  });
  const intervalMs = life.plan.intervalSeconds * 1000;
  overlay(life, {
    ...span(staged),
    change: (sample, at) => {
      sample.place = placeOf(life, metres);
      // Two fixes, ten minutes apart at the least: the second is told with its report.
      incident.firedBetween ??= due(scene, at + 10 * MINUTE_MS, at + 10 * MINUTE_MS + 2 * intervalMs);
    },
  });
  // Back at its place it says so, twice.
  overlay(life, {
    from: endsAt,
    to: endsAt + 4 * intervalMs,
    change: (sample) => {
      sample.place = placeOf(life);
    },
  });
  return true;
};

/** It comes and goes, never long enough to be offline. */
export const flaps: Script = (scene) => {
  const { stream, telling } = scene;
  const count = draw(stream, INCIDENT.flaps);
  const cycleMs = (INCIDENT.flapGoneSeconds[1] + INCIDENT.flapThereSeconds[1]) * 1000;
  const staged = stagedOn(scene, count * cycleMs + 10 * MINUTE_MS);
  if (!staged) return false;
  const { life, from } = staged;
  const changes: number[] = [];
  const incident = label(scene, from, staged.endsAt, {
    type: 'terminal.unstable',
    reason: ['flapping'],
    cause: ['unknown'],
    subject: subjectOf(life),
    members: [life.sn],
    what: `its connection broke ${count} times in a row`,
    also: ['coverage.weakening'],
  });
  const flap = (left: number, at: number) => {
    const backAt = at + draw(stream, INCIDENT.flapGoneSeconds) * 1000;
    changes.push(fallSilent(life, at, { drop: 'reset', backAt, alive: true }, telling), backAt);
    // The fifth change tells it; none after the last does any more.
    if (changes.length >= 5) incident.firedBetween ??= due(scene, changes[4]!, changes[4]! + 5 * MINUTE_MS);
    if (left > 1) stage(life, { at: backAt + draw(stream, INCIDENT.flapThereSeconds) * 1000, act: (_, now) => flap(left - 1, now) });
    else incident.endsAt = backAt;
  };
  stage(life, { at: from, act: (_, at) => flap(count, at) });
  return true;
};

interface Staged {
  life: Life;
  from: number;
  endsAt: number;
}

/** A terminal, and room for what takes `holdMs` and at least so many reports. */
function stagedOn(scene: Scene, holdMs: number, reports = REPORTS, fits?: (life: Life) => boolean): Staged | undefined {
  const life = anyOf(scene.stream, free(scene, fits));
  if (!life) return undefined;
  const needMs = Math.max(holdMs, (reports + LAG_REPORTS) * life.plan.intervalSeconds * 1000);
  const from = roomFor(scene, life, needMs);
  return from === undefined ? undefined : { life, from, endsAt: from + needMs };
}

function span({ from, endsAt }: Staged): { from: number; to: number } {
  return { from, to: endsAt };
}

function weakening(scene: Scene, { life, from, endsAt }: Staged, reason: string[], cause: string[], what: string) {
  const facts = { type: 'coverage.weakening' as const, reason, cause, subject: subjectOf(life), members: [life.sn], what };
  return label(scene, from, endsAt, { ...facts, firedBetween: due(scene, from, endsAt) });
}
