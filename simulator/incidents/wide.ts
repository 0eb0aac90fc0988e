/** Incidents of more than one merchant: of a town's cell, an operator, an acquirer, an app; and our own blindness. */
import type { Incident } from '../actions.ts';
import { fallSilent, type Telling } from '../life/life.ts';
import { addOutcome } from '../life/sample.ts';
import { draw, percent, pick, type Stream, weighted } from '../random.ts';
import { ACQUIRERS, INCIDENT, REGIONS, TERMINAL } from '../ranges.ts';
import { type Life, overlay } from '../state.ts';
import { goneFor, goTogether, LEAST_MEMBERS } from './outage.ts';
import { due, HOUR_MS, MINUTE_MS, minutes } from './scene.ts';

/** The fleet as these scripts see it. */
export interface Fleet {
  telling: Telling;
  lives: readonly Life[];
  /** Stages something for the whole of it. */
  at(time: number, run: (at: number) => void): void;
  /** What fell into our blindness is told later, or never. */
  blinded(from: number, until: number): void;
}

/** A day of the story, seen from above. */
export interface WideScene {
  id: string;
  stream: Stream;
  from: number;
  until: number;
  world: Fleet;
}

/** Stages one incident; false where the fleet is too small for it. */
export type WideScript = (scene: WideScene, lives: readonly Life[]) => boolean;

/** Terminals on an app without which its rates prove nothing. */
const LEAST_ON_APP = 20;
/** Of those that share what fails, who must go: the rule asks for half, and some may be switched off meanwhile. */
const LEAST_SHARE = 0.7;

const byOperator: WideScript = (scene, lives) => {
  const operator = weighted<string>(scene.stream, pick(scene.stream, REGIONS).operators);
  return outage(
    scene,
    lives.filter((life) => life.plan.operator === operator),
    'operator',
    { operator },
  );
};

const byAcquirer: WideScript = (scene, lives) => {
  const acquirer = weighted(scene.stream, ACQUIRERS);
  return outage(
    scene,
    lives.filter((life) => life.merchant.plan.acquirer === acquirer),
    'acquirer',
    { acquirer },
  );
};

const byApp: WideScript = (scene, lives) => {
  const app = weighted(scene.stream, TERMINAL.apps);
  return outage(
    scene,
    lives.filter((life) => life.app === app),
    'app',
    { app },
  );
};

/** A cell of a town: `lives` are the town's. */
export const byCell: WideScript = (scene, lives) => {
  const [first] = lives;
  if (!first) return false;
  const { town } = first.merchant.plan;
  const site = pick(scene.stream, town.cells);
  const operator = weighted<string>(scene.stream, town.region.operators);
  const cell = `${operator}-${town.lac}-${site}`;
  return outage(
    scene,
    lives.filter((life) => life.plan.site.cell === site && life.plan.operator === operator),
    'cell',
    { cell },
  );
};

function outage(scene: WideScene, lives: readonly Life[], reason: string, subject: Record<string, string>): boolean {
  const { world, stream } = scene;
  // What a site's terminals alone share is the site.
  if (lives.length < LEAST_MEMBERS || new Set(lives.map((life) => life.plan.site)).size < 2) return false;
  const { telling } = world;
  const from = aTime(scene);
  const endsAt = from + goneFor({ stream, telling }, lives);
  world.at(from, (at) => {
    const there = lives.filter((life) => life.state === 'on');
    // Who is in an incident of its own is left alone, and counts among those that stay.
    const going = there.filter((life) => life.deeds.length === 0 && life.merchant.busyUntil <= at);
    if (going.length < LEAST_MEMBERS || going.length < there.length * LEAST_SHARE) return;
    for (const { merchant } of going) merchant.busyUntil = endsAt + HOUR_MS;
    const what = `everything of ${reason} ${Object.values(subject)[0]} went`;
    const facts = {
      type: 'outage' as const,
      reason: [reason],
      cause: [reason, 'unknown'],
      subject,
      what,
      also: ['terminal.offline' as const],
    };
    goTogether(announce(scene, at, endsAt, facts), going, at, endsAt, { stream, telling });
  });
  return true;
}

/** One version of the app fails more often than the others. */
export const appLags: WideScript = (scene, lives) => {
  const { stream, world } = scene;
  const app = weighted(stream, TERMINAL.apps);
  const members = lives.filter((life) => life.app === app);
  if (members.length < LEAST_ON_APP || members.length > lives.length - LEAST_ON_APP) return false;
  const from = aTime(scene);
  const endsAt = from + draw(stream, INCIDENT.laggingHours) * HOUR_MS;
  const incident = announce(scene, from, endsAt, {
    type: 'software.lagging',
    reason: ['regression'],
    cause: ['unknown', 'update'],
    subject: { app },
    what: `app ${app} sent what the host could not read`,
    also: ['failure.rate'],
  });
  incident.members = members.map(({ sn }) => sn);
  incident.firedBetween = due({ telling: world.telling }, from, endsAt + 2 * HOUR_MS);
  for (const life of members) {
    overlay(life, {
      from,
      to: endsAt,
      change: (sample) => {
        if (percent(life.stream, INCIDENT.laggingPercent)) {
          addOutcome(sample, { system: 'unionpay', code: '30', n: 1, card: 'debit', kind: 'sale' });
        }
      },
    });
  }
  return true;
};

/** Broker or log are away: nobody is heard, and nobody's Will is told. */
const blind =
  (part: 'broker' | 'log'): WideScript =>
  (scene, lives) => {
    const { world, stream } = scene;
    const from = aTime(scene);
    const endsAt = from + minutes({ stream }, INCIDENT.blind);
    platform(scene, part, from, endsAt);
    world.at(from, (at) => {
      for (const life of lives) loseBroker(life, at, endsAt + draw(stream, INCIDENT.afterBlindSeconds) * 1000, world);
      world.blinded(at, endsAt);
    });
    return true;
  };

/** Whoever is connected drops; whoever is not finds no broker until it is back. */
function loseBroker(life: Life, at: number, backAt: number, { telling }: Fleet): void {
  if (life.state === 'away') {
    life.willAt = Number.POSITIVE_INFINITY;
    life.backAt = Math.max(life.backAt, backAt);
    life.nextAt = Math.max(life.nextAt, at);
  } else if (life.state === 'off') {
    if (life.nextAt < backAt) life.nextAt = backAt;
  } else if (life.state !== 'gone') {
    fallSilent(life, at, { drop: 'blind', backAt, alive: true }, telling);
  }
}

/** Store or collector are late: a delay, and nobody's silence. */
const late =
  (part: 'store' | 'collector'): WideScript =>
  (scene) => {
    const from = aTime(scene);
    platform(scene, part, from, from + minutes(scene, INCIDENT.blind));
    return true;
  };

const clockSteps: WideScript = (scene) => {
  const { world, stream } = scene;
  const from = aTime(scene);
  const ms = draw(stream, INCIDENT.clockStepSeconds) * 1000;
  const incident = platformIncident(scene, 'clock', from, from + MINUTE_MS, `the clock stepped by ${ms} ms`);
  world.at(from, (at) => world.telling.emit({ at, kind: 'platform', platform: { part: 'clock', state: 'step', ms } }));
  incident.firedBetween = due({ telling: world.telling }, from, from + MINUTE_MS);
  return true;
};

function platform(scene: WideScene, part: 'broker' | 'log' | 'store' | 'collector', from: number, endsAt: number): void {
  const { world } = scene;
  platformIncident(scene, part, from, endsAt, `${part} was down`);
  const say = (state: 'down' | 'up') => (at: number) => world.telling.emit({ at, kind: 'platform', platform: { part, state } });
  world.at(from, say('down'));
  world.at(endsAt, say('up'));
}

function platformIncident(scene: WideScene, part: string, from: number, endsAt: number, what: string): Incident {
  const facts = { type: 'platform.blind' as const, reason: [part], cause: [part, 'unknown'], subject: {}, what };
  const incident = announce(scene, from, endsAt, facts);
  incident.firedBetween = due({ telling: scene.world.telling }, from, from + MINUTE_MS);
  return incident;
}

export const outages: readonly WideScript[] = [byOperator, byAcquirer, byApp];
export const blindness: readonly WideScript[] = [blind('broker'), blind('log'), late('store'), late('collector'), clockSteps];

/** Not at the very start or end of a day: something has to be there before, and to come back after. */
function aTime({ stream, from, until }: WideScene): number {
  return from + Math.floor(((until - from) * draw(stream, [10, 70])) / 100);
}

function announce(
  scene: WideScene,
  from: number,
  endsAt: number,
  facts: Pick<Incident, 'type' | 'reason' | 'cause' | 'subject' | 'what'> & { also?: Incident['also'] },
): Incident {
  const { world } = scene;
  const incident: Incident = { id: scene.id, startsAt: from, endsAt, members: [], firedBetween: null, also: [], ...facts };
  world.at(from, (at) => world.telling.emit({ at, kind: 'began', incident }));
  // Members come back within the next minutes.
  world.at(endsAt + MINUTE_MS * 2, (at) => world.telling.emit({ at, kind: 'ended', incident }));
  return incident;
}
