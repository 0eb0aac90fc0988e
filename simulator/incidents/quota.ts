/** quota.terminals, quota.peripherals, quota.sim_data: what runs out. */
import { bindMore, setLimit, swap } from '../fleet/changes.ts';
import { addSlow } from '../life/sample.ts';
import { anyOf, draw, percent } from '../random.ts';
import { INCIDENT } from '../ranges.ts';
import { later, type MerchantState, overlay } from '../state.ts';
import { due, free, label, MINUTE_MS, merchantOf, minutes, roomFor, type Scene, type Script, subjectOf } from './scene.ts';

/** Batches in which a merchant's new terminals are bound. */
const BATCHES = 4;
/** A limit this small is full in normal life, and no alert. */
const TINY_LIMIT = 2;
const MINUTE = MINUTE_MS;

/** The least use that approaches a limit of five or more: 80 %, or two slots left. */
function approachingLine(limit: number): number {
  return Math.min(Math.ceil(limit * 0.8), limit - 2);
}

/** Somewhere in the day; the registry keeps no hours. */
function anyTime({ stream, from, until }: Scene): number {
  return from + draw(stream, [INCIDENT.afterOpening * 60, Math.floor((until - from) / 1000)]) * 1000;
}

function registryLabel(scene: Scene, at: number, endsAt: number, reason: string, cause: string[], what: string) {
  const { merchant, telling } = scene;
  const facts = { type: 'quota.terminals' as const, reason: [reason], cause, subject: merchantOf(merchant), what };
  const firedBetween = due(scene, endsAt - at > 0 ? at : endsAt, at + MINUTE * telling.speed);
  return label(scene, at, endsAt, { ...facts, firedBetween, also: ['binding.reclaimable'] });
}

/** New terminals are bound, until not one slot is left. */
export const bindsReachLimit: Script = (scene) => {
  const { merchant, telling } = scene;
  const count = merchant.limit - merchant.held;
  if (merchant.limit <= TINY_LIMIT || count < BATCHES) return false;
  const unbind: ((at: number) => void)[] = [];
  let at = anyTime(scene);
  const startsAt = at;
  for (let i = 0; i < BATCHES; i++) {
    const share = Math.floor(((i + 1) * count) / BATCHES) - Math.floor((i * count) / BATCHES);
    later(merchant, { at, run: (now) => unbind.push(bindMore(merchant, share, now, telling)) });
    if (i < BATCHES - 1) at += minutes(scene, INCIDENT.climbStep);
  }
  const endsAt = at + minutes(scene, INCIDENT.climbHolds);
  later(merchant, { at: endsAt, run: (now) => unbind.forEach((undo) => void undo(now)) });
  const incident = registryLabel(scene, startsAt, endsAt, 'reached', ['expansion', 'rollout', 'unknown'], 'new terminals took every slot');
  incident.firedBetween = due(scene, at, at + MINUTE * telling.speed);
  return true;
};

/** Terminals are replaced, and nobody unbinds the old ones. */
export const swapsApproachLimit: Script = (scene) => {
  const { merchant, telling } = scene;
  const count = approachingLine(merchant.limit) - merchant.held;
  const lives = free(scene).slice(0, count);
  if (merchant.limit <= TINY_LIMIT || count < 1 || lives.length < count) return false;
  const unbind: ((at: number) => void)[] = [];
  let at = anyTime(scene);
  const startsAt = at;
  lives.forEach((life, i) => {
    if (i > 0) at += minutes(scene, INCIDENT.climbStep);
    later(merchant, { at, run: (now) => unbind.push(swap(life, now, telling)) });
  });
  const endsAt = at + minutes(scene, INCIDENT.climbHolds);
  later(merchant, { at: endsAt, run: (now) => unbind.forEach((undo) => void undo(now)) });
  const incident = registryLabel(scene, startsAt, endsAt, 'approaching', ['replacement', 'unknown'], 'replaced terminals kept their slots');
  incident.firedBetween = due(scene, at, at + MINUTE * telling.speed);
  return true;
};

/** The acquirer cuts the limit down to what is bound, or one more. */
export const limitIsCut: Script = (scene) => {
  const { merchant, telling, stream } = scene;
  const left = draw(stream, INCIDENT.limitAfterCut);
  const [before, after] = [merchant.limit, merchant.held + left];
  if (after <= TINY_LIMIT || after >= before) return false;
  const at = anyTime(scene);
  const endsAt = at + minutes(scene, INCIDENT.climbHolds);
  const regulatory = percent(stream, 50);
  later(merchant, { at, run: (now) => setLimit(merchant, after, now, telling, regulatory ? { limit_reason: 'regulatory' } : {}) });
  later(merchant, { at: endsAt, run: (now) => setLimit(merchant, before, now, telling) });
  registryLabel(scene, at, endsAt, left === 0 ? 'reached' : 'approaching', ['limit_cut'], `the limit was cut from ${before} to ${after}`);
  return true;
};

/** More is attached to a terminal than it may have, or as much. */
export const peripherals: Script = (scene) => {
  const life = anyOf(scene.stream, free(scene));
  if (!life) return false;
  const holdMs = Math.max(minutes(scene, INCIDENT.peripheralsHold), 4 * life.plan.intervalSeconds * 1000);
  const from = roomFor(scene, life, holdMs);
  if (from === undefined) return false;
  const over = percent(scene.stream, 50) ? draw(scene.stream, INCIDENT.attachedOver) : 0;
  const bound = life.plan.peripheralLimit + over;
  const incident = label(scene, from, from + holdMs, {
    type: 'quota.peripherals',
    reason: [over > 0 ? 'over' : 'reached'],
    cause: [over > 0 ? 'misconfiguration' : 'expansion'],
    subject: subjectOf(life),
    members: [life.sn],
    what: `${bound} of ${life.plan.peripheralLimit} peripherals attached`,
  });
  overlay(life, {
    from,
    to: from + holdMs,
    change: (sample, at) => {
      addSlow(life, sample, at);
      sample.bindings!.peripherals = { bound, limit: life.plan.peripheralLimit };
      incident.firedBetween ??= due(scene, at, at + MINUTE * scene.telling.speed);
    },
  });
  return true;
};

/** A terminal uses its SIM plan up, days before it begins anew. */
export const simData: Script = (scene) => {
  const life = anyOf(scene.stream, free(scene));
  if (!life) return false;
  const riseMs = minutes(scene, INCIDENT.simRise);
  const holdMs = Math.max(minutes(scene, INCIDENT.silence), 3 * life.plan.intervalSeconds * 1000);
  const from = roomFor(scene, life, riseMs + holdMs);
  if (from === undefined) return false;
  const first = draw(scene.stream, INCIDENT.simFrom);
  const endsAt = from + riseMs + holdMs;
  const incident = label(scene, from, endsAt, {
    type: 'quota.sim_data',
    reason: ['reached'],
    cause: ['unknown'],
    subject: subjectOf(life),
    members: [life.sn],
    what: 'something on the terminal used the SIM plan up',
  });
  overlay(life, {
    from,
    to: endsAt,
    change: (sample, at) => {
      addSlow(life, sample, at);
      const percentUsed = Math.min(102, first + ((102 - first) * (at - from)) / riseMs);
      sample.sim = { usedBytes: Math.round((life.plan.simPlanBytes * percentUsed) / 100) };
      if (percentUsed >= 100) incident.firedBetween ??= due(scene, at, at + MINUTE * scene.telling.speed);
    },
  });
  return true;
};

/** For those who need a merchant with room: `held` of `limit`. */
export function hasRoom({ held, limit }: MerchantState): boolean {
  return held + 1 < approachingLine(limit);
}
