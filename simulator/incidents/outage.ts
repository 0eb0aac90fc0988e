/** outage: many go at once, and what they share tells why. */
import type { Incident } from '../actions.ts';
import { fallSilent, type Telling } from '../life/life.ts';
import { draw, type Stream } from '../random.ts';
import { INCIDENT } from '../ranges.ts';
import { type Life, stage } from '../state.ts';
import { due, free, label, merchantOf, minutes, roomFor, type Script, waits } from './scene.ts';

/** Fewer are no outage; nor is less than half of those that share it. */
export const LEAST_MEMBERS = 5;
const SUSPECT_INTERVALS = 1.5;

/** A shop with many terminals loses them all. */
export const siteOutage: Script = (scene) => {
  const [first] = scene.merchant.lives;
  const site = first?.plan.site;
  const lives = free(scene, (life) => life.plan.site === site);
  if (!first || lives.length < LEAST_MEMBERS || lives.length < scene.merchant.lives.filter((life) => life.plan.site === site).length)
    return false;
  const goneMs = goneFor(scene, lives);
  const from = roomFor(scene, first, goneMs);
  if (from === undefined) return false;
  const incident = label(scene, from, from + goneMs, {
    type: 'outage',
    reason: ['site'],
    cause: ['site', 'power', 'unknown'],
    subject: { ...merchantOf(scene.merchant), site: site!.id },
    what: 'power or network of the whole shop went',
    also: ['terminal.offline'],
  });
  goTogether(incident, lives, from, from + goneMs, scene);
  return true;
};

/** How long an outage lasts at the least to be told of each of them. */
export function goneFor(scene: { stream: Stream; telling: Telling }, lives: readonly Life[]): number {
  const longest = Math.max(...lives.map((life) => waits(life, scene.telling.speed).silentMs));
  return longest + waits(lives[0]!, scene.telling.speed).holdMs + minutes(scene, INCIDENT.outage);
}

/** Whoever is connected drops, within a minute of each other, and comes back likewise. Members are those that did. */
export function goTogether(
  incident: Incident,
  lives: readonly Life[],
  from: number,
  backAt: number,
  scene: { stream: Stream; telling: Telling },
): void {
  const { stream, telling } = scene;
  const told: number[] = [];
  for (const life of lives) {
    const returnsAt = backAt + draw(stream, INCIDENT.returnSpreadSeconds) * 1000;
    const at = from + draw(stream, INCIDENT.outageSpreadSeconds) * 1000;
    stage(life, {
      at,
      act: (_, now) => {
        // A shop that opens meanwhile has nothing to lose yet.
        if (now > from + INCIDENT.outageSpreadSeconds[1] * 1000) return;
        const { holdMs, intervalMs } = waits(life, telling.speed);
        const { lastAt } = life;
        const willAt = fallSilent(life, now, { drop: 'reset', backAt: returnsAt, alive: true }, telling);
        incident.members.push(life.sn);
        told.push(Math.min(willAt + holdMs, lastAt + SUSPECT_INTERVALS * intervalMs));
        incident.firedBetween = windowOf(told, scene);
      },
    });
  }
}

/** From when half of them, and five, are told to be gone, until all of them are. */
function windowOf(told: number[], scene: { telling: Telling }): [number, number] | null {
  if (told.length < LEAST_MEMBERS) return null;
  const sorted = [...told].sort((a, b) => a - b);
  const least = Math.max(LEAST_MEMBERS, Math.ceil(sorted.length / 2));
  return due(scene, sorted[least - 1]!, sorted.at(-1)! + 40_000 * scene.telling.speed);
}
