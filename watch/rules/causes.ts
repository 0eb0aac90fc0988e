/** Why a terminal is silent, from what it said before and from what its neighbours do. An honest unknown beats a guess. */
import type { Evidence } from '../../protocol/alerts.ts';
import type { Signal } from '../../protocol/schemas/sample.ts';
import { BANDS, bandOf } from '../../protocol/signal/bands.ts';
import type { Terminal } from '../fleet/terminals.ts';
import type { OfflineRules } from './defaults.ts';

export const OFFLINE_CAUSES = ['switched_off', 'update', 'power', 'sim_data', 'site', 'radio', 'unknown'] as const;
export type OfflineCause = (typeof OFFLINE_CAUSES)[number];

export interface Because {
  cause: OfflineCause;
  /** How sure, 0–1. */
  confidence: number;
  evidence: Evidence[];
}

/** What others say of it: how many of its site went about when it did, of how many; and whether a weakening had been announced. */
export interface Surroundings {
  siteLost: number;
  siteOthers: number;
  weakening: boolean;
}

type Clue = (t: Readonly<Terminal>, around: Surroundings, at: number, rules: OfflineRules) => Because | null;

const UNKNOWN: Because = { cause: 'unknown', confidence: 0, evidence: [] };

/** What a terminal itself announced comes before what can be read off it, and a fading signal before a weak one that it may have lived with. */
const CLUES: readonly Clue[] = [shutdown, update, power, simData, fadingSignal, site, poorSignal];

export function becauseOf(t: Readonly<Terminal>, around: Surroundings, at: number, rules: OfflineRules): Because {
  for (const clue of CLUES) {
    const because = clue(t, around, at, rules);
    if (because) return because;
  }
  return UNKNOWN;
}

function shutdown({ signs }: Readonly<Terminal>): Because | null {
  return signs?.shutdown === undefined ? null : found('switched_off', 0.9, { what: 'shutdown', value: signs.shutdown, at: signs.shutdown });
}

/** An update that began long ago has ended, told or not. */
function update({ signs, presence }: Readonly<Terminal>, _: Surroundings, __: number, rules: OfflineRules): Because | null {
  const began = signs?.updating;
  if (began === undefined || presence.lifeAt! - began > rules.updateMinutes * 60_000) return null;
  return found('update', 0.9, { what: 'update_started', value: began, at: began });
}

function power({ signs, last }: Readonly<Terminal>): Because | null {
  if (signs?.batteryLow !== undefined) {
    return found('power', 0.9, { what: 'battery', value: last?.power?.battery ?? null, limit: 0.1, at: signs.batteryLow });
  }
  if (signs?.mainsLost !== undefined) return found('power', 0.7, { what: 'mains_lost', value: signs.mainsLost, at: signs.mainsLost });
  return null;
}

function simData({ signs, last, birth }: Readonly<Terminal>): Because | null {
  if (signs?.planUsedUp === undefined) return null;
  const limit = birth?.sim?.planBytes;
  return found('sim_data', 0.9, {
    what: 'sim_used_bytes',
    value: last?.sim?.usedBytes ?? null,
    ...(limit !== undefined && { limit }),
    at: signs.planUsedUp,
  });
}

function site(_: Readonly<Terminal>, { siteLost, siteOthers }: Surroundings, at: number): Because | null {
  if (siteLost === 0 || siteLost * 2 < siteOthers) return null;
  return found('site', siteLost === siteOthers ? 0.8 : 0.6, { what: 'site_lost', value: siteLost, limit: siteOthers, at });
}

function fadingSignal(t: Readonly<Terminal>, { weakening }: Surroundings): Because | null {
  const poor = poorest(t.last?.signal);
  if (poor?.band === 'critical') return found('radio', 0.8, { ...poor.evidence, at: t.last!.at });
  return weakening ? found('radio', 0.8, { what: 'coverage_weakening', value: true, at: t.presence.lifeAt! }) : null;
}

/** Weak, or registering again and again. */
function poorSignal({ last }: Readonly<Terminal>, _: Surroundings, __: number, rules: OfflineRules): Because | null {
  const poor = poorest(last?.signal);
  if (poor) return found('radio', 0.6, { ...poor.evidence, at: last!.at });
  const registrations = last?.link?.registrations ?? 0;
  if (registrations < rules.registrations) return null;
  return found('radio', 0.5, { what: 'registrations', value: registrations, limit: rules.registrations, at: last!.at });
}

/** The metric that is furthest down, where any is under fair. */
export function poorest(signal: Signal | undefined): { band: 'weak' | 'critical'; evidence: Omit<Evidence, 'at'> } | null {
  const rat = signal?.rat;
  if (!signal || !rat) return null;
  if (rat === 'none') return { band: 'critical', evidence: { what: 'registered', value: false } };
  let weak: { band: 'weak'; evidence: Omit<Evidence, 'at'> } | null = null;
  for (const { metric, fairFrom, ...bands } of BANDS) {
    const value = bands.rat === rat ? signal[metric] : undefined;
    if (value === undefined) continue;
    const band = bandOf(rat, metric, value);
    const evidence = { what: metric, value, limit: fairFrom };
    if (band === 'critical') return { band, evidence };
    if (band === 'weak') weak ??= { band, evidence };
  }
  return weak;
}

function found(cause: OfflineCause, confidence: number, evidence: Evidence): Because {
  return { cause, confidence, evidence: [evidence] };
}
