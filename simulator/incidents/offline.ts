/** terminal.offline, by what was behind it, with the evidence that a real terminal would have sent before. */
import type { Drop, Incident } from '../actions.ts';
import { fallSilent, hang, sendEvent, switchOff } from '../life/life.ts';
import { addSlow, radioOf } from '../life/sample.ts';
import { anyOf, draw, pick } from '../random.ts';
import { INCIDENT } from '../ranges.ts';
import { type Life, overlay, stage } from '../state.ts';
import { due, free, label, minutes, roomFor, type Scene, type Script, subjectOf, waits } from './scene.ts';

const LOW_BATTERY = 0.06;
/** A Will and a silence that come due so close to each other may be told as either. */
const EITHER_MS = 5_000;

interface Way {
  cause: string;
  what: string;
  also: Incident['also'];
  /** How it goes: a drop of the connection, or the terminal's own way. */
  how: Drop | 'hang' | 'goodbye';
  alive: boolean;
  /** What is seen of it from `from` on, until it falls silent at `silentAt`. */
  before?: (scene: Scene, life: Life, from: number, silentAt: number) => void;
  /** What the terminal says when it is back. */
  after?: (life: Life, at: number, scene: Scene) => void;
}

const WAYS: readonly Way[] = [
  {
    cause: 'radio',
    what: 'the signal faded until the connection broke',
    also: ['coverage.weakening'],
    how: 'expiry',
    alive: true,
    before: fading,
  },
  {
    cause: 'power',
    what: 'mains went, the battery ran down',
    also: [],
    how: 'expiry',
    alive: false,
    before: runningDown,
    after: mainsBack,
  },
  { cause: 'switched_off', what: 'somebody switched it off while the shop was open', also: [], how: 'goodbye', alive: false },
  { cause: 'sim_data', what: 'the SIM plan was used up', also: ['quota.sim_data'], how: 'expiry', alive: true, before: usingUp },
  { cause: 'update', what: 'it did not come back from an update', also: [], how: 'reset', alive: false, before: updating, after: updated },
  { cause: 'unknown', what: 'its program hung', also: [], how: 'hang', alive: false },
  { cause: 'unknown', what: 'it went without a word', also: [], how: 'expiry', alive: false },
];

/** One terminal falls silent. */
export const terminalOffline: Script = (scene) => {
  const way = pick(scene.stream, WAYS);
  const life = anyOf(scene.stream, free(scene));
  if (!life) return false;
  const { silentMs, holdMs, intervalMs } = waits(life, scene.telling.speed);
  const evidenceMs = Math.max(minutes(scene, INCIDENT.evidence), 4 * intervalMs);
  const goneMs = silentMs + holdMs + minutes(scene, INCIDENT.silence);
  const from = roomFor(scene, life, evidenceMs + goneMs);
  if (from === undefined) return false;
  const silentAt = from + evidenceMs;
  const incident = label(scene, silentAt, silentAt + goneMs, {
    type: 'terminal.offline',
    reason: [],
    cause: [way.cause],
    subject: subjectOf(life),
    members: [life.sn],
    what: way.what,
    also: way.also,
  });
  way.before?.(scene, life, from, silentAt);
  stage(life, { at: silentAt, act: (_, at) => silence(scene, incident, life, at, at + goneMs, way) });
  return true;
};

/** A small shop loses all its terminals at once, too few for an outage. */
export const siteOffline: Script = (scene) => {
  const site = anyOf(scene.stream, scene.merchant.lives)?.plan.site;
  const lives = free(scene, (life) => life.plan.site === site);
  const all = scene.merchant.lives.filter((life) => life.plan.site === site);
  if (lives.length < all.length || lives.length < 2 || lives.length > 4) return false;
  const goneMs = Math.max(...lives.map((l) => waits(l, scene.telling.speed).silentMs)) + 2 * minutes(scene, INCIDENT.silence);
  const from = roomFor(scene, lives[0]!, goneMs + waits(lives[0]!, scene.telling.speed).holdMs);
  if (from === undefined) return false;
  const members = lives.map((life) => life.sn);
  lives.forEach((life, i) => {
    const at = from + draw(scene.stream, INCIDENT.outageSpreadSeconds) * 1000;
    const endsAt = from + goneMs + draw(scene.stream, INCIDENT.returnSpreadSeconds) * 1000;
    const way: Way = { cause: 'site', what: 'the power of the whole shop went', also: [], how: 'reset', alive: false };
    const facts = { type: 'terminal.offline' as const, reason: [], cause: ['site'], subject: subjectOf(life), members, what: way.what };
    const incident = label({ ...scene, id: `${scene.id}-${i + 1}` }, at, endsAt, facts);
    stage(life, { at, act: (_, now) => silence(scene, incident, life, now, endsAt, way) });
  });
  return true;
};

function silence(scene: Scene, incident: Incident, life: Life, at: number, backAt: number, way: Way): void {
  const { silentMs, holdMs } = waits(life, scene.telling.speed);
  // A goodbye is the last that is heard; before any other silence it was the last message.
  const silentAt = (way.how === 'goodbye' ? at : life.lastAt) + silentMs;
  let willAt = Number.POSITIVE_INFINITY;
  if (way.how === 'hang') hang(life, backAt);
  else if (way.how === 'goodbye') {
    sendEvent(life, at, 'shutdown', {}, scene.telling);
    switchOff(life, at, backAt, scene.telling);
  } else willAt = fallSilent(life, at, { drop: way.how, backAt, alive: way.alive }, scene.telling);
  const lostAt = willAt + holdMs;
  const offlineAt = Math.min(silentAt, lostAt);
  const either = Math.abs(silentAt - lostAt) < EITHER_MS * scene.telling.speed;
  incident.reason = either ? ['silent', 'lost'] : [lostAt < silentAt ? 'lost' : 'silent'];
  incident.firedBetween = due(scene, offlineAt);
  incident.endsAt = backAt;
  if (way.after) stage(life, { at: backAt, act: (l, now) => way.after!(l, now, scene) });
}

/** The signal falls from where it is to where nothing holds. */
export function fading(scene: Scene, life: Life, from: number, until: number, floor = draw(scene.stream, INCIDENT.fadedDbm)): void {
  overlay(life, {
    from,
    to: until + 24 * 60 * 60_000,
    change: (sample, at) => {
      if (life.state === 'on' && at > until) return;
      const { signal } = sample;
      const depth = Math.min(1, (at - from) / (until - from) + 0.1);
      signal!.rsrp = Math.round(life.plan.rsrp + (floor - life.plan.rsrp) * depth);
      signal!.rssi = signal!.rsrp + life.plan.rssiOver;
      sample.link!.registrations = Math.floor(depth * 3);
      if (sample.radio) sample.radio = radioOf(sample, sample.radio.seconds!);
    },
  });
}

function runningDown(scene: Scene, life: Life, from: number, silentAt: number): void {
  stage(life, { at: from, act: (l, at) => sendEvent(l, at, 'power.mains_lost', { battery: l.plan.battery / 100 }, scene.telling) });
  stage(life, {
    at: silentAt - 1,
    act: (l, at) => sendEvent(l, at, 'power.low', { battery: LOW_BATTERY }, scene.telling),
  });
  overlay(life, {
    from,
    to: silentAt,
    change: (sample, at) => {
      const left = life.plan.battery - (life.plan.battery - 100 * LOW_BATTERY) * ((at - from) / (silentAt - from));
      sample.power = { battery: Math.round(left) / 100, mains: false };
    },
  });
}

function mainsBack(life: Life, at: number, { telling }: Scene): void {
  sendEvent(life, at, 'power.mains_back', { battery: LOW_BATTERY }, telling);
}

/** The plan's last bytes are counted in the last report. */
function usingUp(_: Scene, life: Life, from: number, silentAt: number): void {
  const { simPlanBytes } = life.plan;
  overlay(life, {
    from,
    to: silentAt,
    change: (sample, at) => {
      addSlow(life, sample, at);
      const share = Math.min(1, 0.9 + (0.15 * (at - from)) / (silentAt - from));
      sample.sim = { usedBytes: Math.round(simPlanBytes * share) };
    },
  });
}

function updating({ telling }: Scene, life: Life, _: number, silentAt: number): void {
  stage(life, { at: silentAt - 1, act: (l, at) => sendEvent(l, at, 'update.started', { app: l.app }, telling) });
}

function updated(life: Life, at: number, { telling }: Scene): void {
  sendEvent(life, at, 'update.finished', { app: life.app }, telling);
}
