/** What is staged on a day of the story: for each merchant by itself, and for the fleet. */

import type { Fleet, WideScene } from './incidents/wide.ts';
import { anyOf, draw, OF, percent, pick, type Stream, streamOf } from './random.ts';
import { INCIDENT, TOWN } from './ranges.ts';
import type { Life, MerchantState } from './state.ts';
import { DAY_MS, type Story } from './story.ts';

/** Scripts that are tried where one finds no room. */
const TRIES = 4;
/** Of a chance that is told in 1 000 terminal-days. */
const FINE = 1_000_000;

/** The world as it is staged. */
export interface Staged extends Fleet {
  story: Story;
  /** Incidents in 1 000 terminal-days. */
  rate: number;
  merchants: readonly MerchantState[];
}

export function stageMerchantDay(world: Staged, merchant: MerchantState, from: number): void {
  const { story, telling } = world;
  const stream = streamOf(story.seed, OF.merchantDay, merchant.plan.index, merchant.day);
  if (merchant.busyUntil > from || !happens(world, merchant, stream)) return;
  const scene = { id: `${merchant.plan.id}-${merchant.day}`, merchant, stream, from, until: from + DAY_MS, telling };
  for (let left = TRIES; left > 0; left--) if (pick(stream, pick(stream, story.scenario.merchant))(scene)) return;
}

function happens({ story, rate }: Staged, merchant: MerchantState, stream: Stream): boolean {
  if (story.scenario.rate === 'often' && story.rate === undefined) return percent(stream, INCIDENT.aloneDailyPercent);
  return draw(stream, [0, FINE - 1]) < (rate * merchant.lives.length * FINE) / 1000;
}

export function stageWideDay(world: Staged, from: number, day: number): void {
  const { story } = world;
  const { scenario } = story;
  const often = scenario.rate === 'often';
  const stream = streamOf(story.seed, OF.fleetDay, day);
  const scripts = anyOf(stream, scenario.wide);
  if (scripts && (often || percent(stream, INCIDENT.fleetDailyPercent)))
    pick(stream, scripts)(sceneOf(world, `fleet-${day}`, stream, from), world.lives);
  const [inTown] = scenario.town;
  if (!inTown) return;
  for (const [town, lives] of byTown(world)) {
    const own = streamOf(story.seed, OF.townDay, town, day);
    const happens = percent(own, often ? INCIDENT.townAlonePercent : INCIDENT.townDailyPercent);
    if (happens) inTown(sceneOf(world, `town-${town}-${day}`, own, from), lives);
  }
}

function sceneOf(world: Staged, id: string, stream: Stream, from: number): WideScene {
  return { id, stream, from, until: from + DAY_MS, world };
}

/** Town by town, the terminals of its merchants. */
function* byTown({ merchants }: Staged): Generator<[town: number, lives: Life[]]> {
  for (let i = 0; i < merchants.length; i += TOWN.merchants) {
    yield [i / TOWN.merchants, merchants.slice(i, i + TOWN.merchants).flatMap(({ lives }) => lives)];
  }
}
