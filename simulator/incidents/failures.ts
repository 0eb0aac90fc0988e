/** failure.terminal, failure.rate, scope.closed: what transactions come to. */
import type { AlertType } from '../../protocol/alerts.ts';
import type { Sample } from '../../protocol/schemas/sample.ts';
import { sendEvent } from '../life/life.ts';
import { addOutcome } from '../life/sample.ts';
import { anyOf, draw, percent, pick } from '../random.ts';
import { INCIDENT } from '../ranges.ts';
import { type Life, overlay, stage } from '../state.ts';
import { due, free, HOUR_MS, label, MINUTE_MS, merchantOf, minutes, roomFor, type Scene, type Script, subjectOf } from './scene.ts';

type Outcome = NonNullable<Sample['outcomes']>[number];

/** Codes that condemn: how many within an hour, and for whom. */
const CONDEMNING = [
  { system: 'unionpay', code: '97', reason: 'terminal_binding', times: 1, merchant: false },
  { system: 'unionpay', code: '03', reason: 'merchant_config', times: 1, merchant: true },
  { system: 'unionpay', code: '63', reason: 'security', times: 1, merchant: false },
  { system: 'local', code: 'tamper', reason: 'security', times: 1, merchant: false },
  { system: 'unionpay', code: 'A0', reason: 'security_key', times: 3, merchant: false },
  { system: 'unionpay', code: '99', reason: 'security_key', times: 3, merchant: false },
  { system: 'unionpay', code: '77', reason: 'terminal_state', times: 3, merchant: false },
  { system: 'unionpay', code: '22', reason: 'terminal_state', times: 3, merchant: false },
  { system: 'unionpay', code: '79', reason: 'terminal_state', times: 3, merchant: false },
  { system: 'local', code: 'sim', reason: 'terminal_state', times: 3, merchant: false },
  { system: 'local', code: 'reader', reason: 'terminal_hardware', times: 3, merchant: false },
] as const;

/** Kinds of transactions that no terminal makes in its daily life. */
const RARE = [
  ['credit', 'transfer'],
  ['debit', 'bill_pay'],
  ['debit', 'top_up'],
] as const;
/** Declines that say: not opened here, the last by law. */
const CLOSED = [
  { system: 'unionpay', code: '58' },
  { system: 'unionpay', code: '40' },
  { system: 'local', code: 'v1_not_allowed' },
  { system: 'unionpay', code: '93' },
] as const;
const NEVER_OPENED_AFTER = 3;
const REGRESSION_AFTER = 5;

export const condemned: Script = (scene) => {
  const life = anyOf(scene.stream, free(scene));
  if (!life) return false;
  const { system, code, reason, times, merchant } = pick(scene.stream, CONDEMNING);
  // Three reports within the hour that counts: a terminal that reports each quarter of an hour says it in two.
  const holdMs = Math.max(minutes(scene, INCIDENT.silence), 4 * life.plan.intervalSeconds * 1000);
  const from = roomFor(scene, life, holdMs);
  if (from === undefined) return false;
  const subject = merchant ? merchantOf(life.merchant) : subjectOf(life);
  const incident = labelled(scene, life, from, from + holdMs, 'failure.terminal', [reason], `${system} ${code} came back`, subject);
  incident.also = ['failure.rate'];
  let seen = 0;
  overlay(life, {
    from,
    to: from + holdMs,
    change: (sample, at) => {
      seen += 2;
      sample.outcomes = [{ system, code, n: 2, card: 'debit', kind: 'sale' }];
      if (seen >= times) incident.firedBetween ??= due(scene, at, at + MINUTE_MS * scene.telling.speed);
    },
  });
  return true;
};

/** A terminal's transactions time out, or fail on the way. */
export const terminalFails: Script = (scene) => {
  const life = anyOf(scene.stream, free(scene));
  if (!life) return false;
  const code = pick(scene.stream, ['timeout', 'connect', 'dns', 'tls']);
  const failure = { system: 'local', code, card: 'debit', kind: 'sale' } as const;
  return failing(scene, [life], failure, { ...subjectOf(life), class: 'network_path' }, `its transactions failed with ${code}`);
};

/** The host refuses what a merchant sends, now and then. */
export const merchantFails: Script = (scene) => {
  const lives = free(scene);
  if (lives.length < scene.merchant.lives.length) return false;
  const failure = { system: 'unionpay', code: '60', card: 'debit', kind: 'sale' } as const;
  return failing(
    scene,
    lives,
    failure,
    { ...merchantOf(scene.merchant), class: 'merchant_config' },
    'the host asked the merchant to call its acquirer',
  );
};

function failing(
  scene: Scene,
  lives: readonly Life[],
  failure: Omit<Outcome, 'n'>,
  subject: Record<string, string>,
  what: string,
): boolean {
  const [first] = lives;
  if (!first) return false;
  const holdMs = minutes(scene, INCIDENT.declinesHold);
  const from = roomFor(scene, first, holdMs);
  if (from === undefined) return false;
  const endsAt = from + holdMs;
  const incident = labelled(scene, first, from, endsAt, 'failure.rate', ['spike', 'sustained'], what, subject);
  incident.members = lives.map(({ sn }) => sn);
  incident.firedBetween = due(scene, from, endsAt);
  for (const life of lives) {
    overlay(life, {
      from,
      to: endsAt,
      change: (sample) => {
        addOutcome(sample, { ...failure, n: draw(life.stream, INCIDENT.declinesPerReport) });
      },
    });
  }
  return true;
}

/** A service that was never opened is asked for, again and again. */
export const neverOpened: Script = (scene) => {
  const life = anyOf(scene.stream, free(scene));
  if (!life) return false;
  const holdMs = Math.max(minutes(scene, INCIDENT.declinesHold), 6 * life.plan.intervalSeconds * 1000);
  const from = roomFor(scene, life, holdMs);
  if (from === undefined) return false;
  const [card, kind] = pick(scene.stream, RARE);
  const { system, code } = pick(scene.stream, CLOSED.slice(0, 3));
  const subject = { ...subjectOf(life), card, kind };
  const what = `${card} ${kind} was declined with ${system} ${code}, and never approved`;
  const incident = labelled(scene, life, from, from + holdMs, 'scope.closed', ['never_opened'], what, subject);
  incident.cause = ['not_opened', 'region', 'unknown'];
  let seen = 0;
  overlay(life, {
    from,
    to: from + holdMs,
    change: (sample, at) => {
      addOutcome(sample, { system, code, n: 1, card, kind });
      if (++seen >= NEVER_OPENED_AFTER) incident.firedBetween ??= due(scene, at, at + MINUTE_MS * scene.telling.speed);
    },
  });
  return true;
};

/** What was approved yesterday is declined today, after an update or by law. */
export const regression: Script = (scene) => {
  const life = anyOf(scene.stream, free(scene));
  if (!life) return false;
  const intervalMs = life.plan.intervalSeconds * 1000;
  const beforeMs = Math.max(minutes(scene, INCIDENT.approvalsBefore), 3 * intervalMs);
  const holdMs = Math.max(minutes(scene, INCIDENT.declinesHold), HOUR_MS * scene.telling.speed + 8 * intervalMs);
  const from = roomFor(scene, life, beforeMs + holdMs);
  if (from === undefined) return false;
  const [startsAt, endsAt] = [from + beforeMs, from + beforeMs + holdMs];
  const [card, kind] = ['credit', 'preauth'] as const;
  const updated = percent(scene.stream, 50);
  const { system, code } = updated ? pick(scene.stream, CLOSED.slice(0, 2)) : CLOSED[3];
  const what = `${card} ${kind} was approved, then declined with ${system} ${code}${updated ? ' after an update' : ''}`;
  const incident = labelled(scene, life, startsAt, endsAt, 'scope.closed', ['regression'], what, { ...subjectOf(life), card, kind });
  incident.cause = updated ? ['update'] : ['law'];
  if (updated) stage(life, { at: startsAt, act: (_, at) => update(scene, life, at) });
  let seen = 0;
  let approvedAt = from;
  overlay(life, {
    from,
    to: endsAt,
    change: (sample, at) => {
      const approved = at < startsAt;
      addOutcome(sample, approved ? { system: 'unionpay', code: '00', n: 1, card, kind } : { system, code, n: 2, card, kind });
      if (approved) approvedAt = at;
      else seen += 2;
      const dueAt = Math.max(at, approvedAt + HOUR_MS * scene.telling.speed);
      if (seen >= REGRESSION_AFTER) incident.firedBetween ??= due(scene, dueAt, dueAt + 2 * intervalMs);
    },
  });
  return true;
};

function update({ telling }: Scene, life: Life, at: number): void {
  sendEvent(life, at, 'update.started', { app: life.app }, telling);
  sendEvent(life, at, 'update.finished', { app: life.app }, telling);
}

function labelled(
  scene: Scene,
  life: Life,
  from: number,
  endsAt: number,
  type: AlertType,
  reason: string[],
  what: string,
  subject: Record<string, string>,
) {
  return label(scene, from, endsAt, { type, reason, cause: ['unknown'], subject, members: [life.sn], what });
}
