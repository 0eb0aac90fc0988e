/** binding.reclaimable, binding.drift, binding.conflict: what registry and terminals do not agree on, or nobody cleaned up. */
import { swap } from '../fleet/changes.ts';
import { rowOf } from '../fleet/rows.ts';
import { fallSilent } from '../life/life.ts';
import { anyOf, draw, percent } from '../random.ts';
import { INCIDENT } from '../ranges.ts';
import { type Life, later, overlay, stage } from '../state.ts';
import { hasRoom } from './quota.ts';
import { due, free, HOUR_MS, label, MINUTE_MS, merchantOf, minutes, roomFor, type Scene, type Script, subjectOf, waits } from './scene.ts';

const DAY_MS = 24 * HOUR_MS;
/** How long a terminal is away whose identity is changed. */
const AWAY_MS = 20_000;
/** A drift is seen in reports, which stop at night. */
const NIGHT_MS = 16 * HOUR_MS;

/** A replaced terminal goes on holding its slot for more than a day. */
export const reclaimableSwapped: Script = (scene) => {
  const { merchant, telling } = scene;
  const life = anyOf(scene.stream, free(scene));
  const at = life && roomFor(scene, life, HOUR_MS);
  if (!life || at === undefined || !hasRoom(merchant)) return false;
  const endsAt = at + draw(scene.stream, INCIDENT.heldHours) * HOUR_MS;
  const old = life.sn;
  later(merchant, {
    at,
    run: (now) => {
      const unbind = swap(life, now, telling);
      later(merchant, { at: endsAt, run: unbind });
    },
  });
  const dueAt = at + DAY_MS * telling.speed;
  label(scene, at, endsAt, {
    type: 'binding.reclaimable',
    reason: ['swapped'],
    cause: ['replacement', 'unknown'],
    subject: merchantOf(merchant),
    members: [old],
    what: 'a replaced terminal was not unbound',
    firedBetween: due(scene, dueAt, dueAt + 2 * HOUR_MS * telling.speed),
  });
  return true;
};

/** A terminal that nobody uses any more holds its slot for a month. */
export const reclaimableSilent: Script = (scene) => {
  const life = anyOf(scene.stream, free(scene));
  const at = life && roomFor(scene, life, HOUR_MS);
  if (!life || at === undefined) return false;
  const backAt = at + draw(scene.stream, INCIDENT.silentDays) * DAY_MS;
  const { telling } = scene;
  const dueAt = at + 30 * DAY_MS * telling.speed;
  const incident = label(scene, at, backAt, {
    type: 'binding.reclaimable',
    reason: ['silent'],
    cause: ['unknown'],
    subject: merchantOf(life.merchant),
    members: [life.sn],
    what: 'a terminal was put into a drawer, and stayed bound',
    also: ['terminal.offline'],
    firedBetween: due(scene, dueAt, dueAt + 6 * HOUR_MS * telling.speed),
  });
  stage(life, {
    at,
    act: (_, now) => {
      incident.firedBetween = due(
        scene,
        life.lastAt + 30 * DAY_MS * telling.speed,
        life.lastAt + (30 * DAY_MS + 6 * HOUR_MS) * telling.speed,
      );
      fallSilent(life, now, { drop: 'expiry', backAt, alive: false }, telling);
    },
  });
  return true;
};

/** The acquirer's host and the registry count differently for more than a day. */
export const drift: Script = (scene) => {
  const { merchant, stream, telling } = scene;
  const life = anyOf(stream, free(scene));
  const from = life && roomFor(scene, life, HOUR_MS);
  if (from === undefined) return false;
  const endsAt = from + draw(stream, INCIDENT.driftHours) * HOUR_MS;
  const high = merchant.held === 1 || percent(stream, 50);
  const slots = high ? draw(stream, INCIDENT.driftSlots) : -Math.min(merchant.held - 1, draw(stream, INCIDENT.driftSlots));
  const incident = label(scene, from, endsAt, {
    type: 'binding.drift',
    reason: [high ? 'reported_high' : 'registry_high'],
    cause: ['unknown'],
    subject: merchantOf(merchant),
    members: merchant.lives.map(({ sn }) => sn),
    what: `the terminals were told of ${Math.abs(slots)} ${high ? 'more' : 'fewer'} bindings than the registry has`,
  });
  for (const one of merchant.lives) {
    overlay(one, {
      from,
      to: endsAt,
      change: (sample, at) => {
        const terminals = sample.bindings?.terminals;
        if (!terminals) return;
        terminals.bound = merchant.held + slots;
        incident.firedBetween ??= due(scene, at + DAY_MS * telling.speed, at + (DAY_MS + NIGHT_MS) * telling.speed);
      },
    });
  }
  return true;
};

/** A terminal was set up for another merchant, and says so in its birth. */
export const twoMerchants: Script = (scene) => {
  const life = anyOf(scene.stream, free(scene));
  const holdMs = minutes(scene, INCIDENT.conflictHolds);
  const at = life && roomFor(scene, life, holdMs);
  if (!life || at === undefined) return false;
  const other = `m-${Number(life.merchant.plan.id.slice(2)) - 1}`;
  const incident = label(scene, at, at + holdMs, {
    type: 'binding.conflict',
    reason: ['two_merchants'],
    cause: ['misconfiguration', 'unknown'],
    subject: { acquirer: life.merchant.plan.acquirer, terminal: life.sn },
    members: [life.sn],
    what: `it was born for merchant ${other}`,
  });
  stage(life, {
    at,
    act: (_, now) => {
      incident.firedBetween = due(scene, now + AWAY_MS, now + AWAY_MS + MINUTE_MS);
      reborn(scene, life, now, other);
    },
  });
  stage(life, { at: at + holdMs, act: (_, now) => reborn(scene, life, now, null) });
  return true;
};

function reborn({ telling }: Scene, life: Life, at: number, claims: string | null): void {
  life.claims = claims;
  fallSilent(life, at, { drop: 'reset', backAt: at + AWAY_MS, alive: true }, telling);
}

/** One TID was typed in for two terminals. */
export const twoSerials: Script = (scene) => {
  const { merchant, telling } = scene;
  const [first, second] = free(scene);
  if (!first || !second) return false;
  const holdMs = minutes(scene, INCIDENT.conflictHolds);
  const at = roomFor(scene, first, holdMs);
  if (at === undefined) return false;
  const row = rowOf(second, 'active');
  later(merchant, {
    at,
    run: (now) => telling.emit({ at: now, kind: 'registry', row: { ...row, row: { ...row.row, tid: first.plan.tid } } }),
  });
  later(merchant, { at: at + holdMs, run: (now) => telling.emit({ at: now, kind: 'registry', row }) });
  const { terminal: _, ...subject } = subjectOf(first);
  label(scene, at, at + holdMs, {
    type: 'binding.conflict',
    reason: ['two_serials'],
    cause: ['misconfiguration', 'unknown'],
    subject,
    members: [first.sn, second.sn],
    what: `the TID ${first.plan.tid} stood on two serial numbers`,
    firedBetween: due(scene, at, at + waits(first, telling.speed).intervalMs),
  });
  return true;
};
