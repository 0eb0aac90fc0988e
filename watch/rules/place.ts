/** place.moved: a fixed terminal is outside its registered place. */
import type { Evidence } from '../../protocol/alerts.ts';
import type { DatumPoint } from '../fleet/datums.ts';
import { datumThatFits, type Fix, isNowhere, leastMeters, turned, type Whereabouts } from '../fleet/places.ts';
import { mayAlert, type Terminal } from '../fleet/terminals.ts';
import type { PlaceRules } from './defaults.ts';
import type { Condition, Verdict } from './verdict.ts';

const MINUTE_MS = 60_000;

/** What became of a fix. The first three count. */
export type FixResult = 'near' | 'away' | 'between' | 'unsure' | 'turned' | 'nowhere' | 'overtaken' | 'history';

/**
 * Takes a fix in, at `now`. One that is older than one before it is overtaken, one that comes long after it was made is history. One whose
 * accuracy does not tell whether it is away leaves all as it is, and so does one that is the place itself with latitude and longitude
 * taken for each other.
 */
export function noteFix(w: Whereabouts, fix: Fix, place: DatumPoint, now: number, rules: PlaceRules): FixResult {
  if (isNowhere(fix)) return 'nowhere';
  if (fix.at < now - rules.historyMinutes * MINUTE_MS) return 'history';
  if (fix.at <= w.fixAt) return 'overtaken';
  w.fixAt = fix.at;
  const distance = leastMeters(fix, place);
  if (distance <= rules.farMeters) return noteHere(w, distance <= rules.nearMeters, rules);
  if (distance <= rules.farAccuracies * (fix.accuracy ?? 0)) return 'unsure';
  const meant = turned(fix);
  if (meant && leastMeters(meant, place) <= rules.farMeters) return 'turned';
  w.nearFixes = 0;
  w.awaySince ??= fix.at;
  w.away = { ...fix, distance };
  w.moved ||= fix.at - w.awaySince >= rules.apartMinutes * MINUTE_MS;
  return 'away';
}

function noteHere(w: Whereabouts, isNear: boolean, rules: PlaceRules): FixResult {
  w.awaySince = null;
  w.away = w.moved ? w.away : null;
  w.nearFixes = isNear ? w.nearFixes + 1 : 0;
  if (w.nearFixes >= rules.backFixes) w.moved = false;
  return isNear ? 'near' : 'between';
}

/** A terminal that goes about is nowhere wrong, whether the registry says so or its birth. */
export function isMobile({ binding, birth }: Readonly<Terminal>): boolean {
  return binding?.use === 'mobile' || birth?.use === 'mobile';
}

/** Judges by the fixes so far. Reasons for silence: not_bound, lifecycle, no_place, mobile, in_place. */
export function judgePlace(t: Readonly<Terminal>, firing: Condition | null, rules: PlaceRules): Verdict {
  const { binding, whereabouts } = t;
  if (!mayAlert(binding)) return silent(binding ? 'lifecycle' : 'not_bound');
  if (!binding?.place) return silent('no_place');
  if (isMobile(t)) return silent('mobile');
  if (!whereabouts?.moved || !whereabouts.away) return silent('in_place');
  return { why: 'moved', condition: firing ?? moved(whereabouts, binding.place, rules) };
}

function silent(why: string): Verdict {
  return { why, condition: null };
}

/** That it is as far away as another datum would put it is no proof of a mistake, but the first thing to look at. */
function moved({ away, awaySince }: Readonly<Whereabouts>, place: DatumPoint, rules: PlaceRules): Condition {
  const fix = away!;
  const registeredAs = place.datum && datumThatFits(place, fix, rules.nearMeters);
  const fixAs = fix.datum && datumThatFits(fix, place, rules.nearMeters);
  const isMistaken = Boolean(registeredAs || fixAs);
  const { at } = fix;
  const evidence: Evidence[] = [{ what: 'distance_meters', value: Math.round(fix.distance), limit: rules.farMeters, at }];
  if (fix.accuracy !== undefined) evidence.push({ what: 'accuracy_meters', value: fix.accuracy, at });
  evidence.push({ what: 'fix', value: shown(fix), at }, { what: 'registered_place', value: shown(place), at });
  if (registeredAs) evidence.push({ what: 'registered_place_fits_as', value: registeredAs, at });
  if (fixAs) evidence.push({ what: 'fix_fits_as', value: fixAs, at });
  evidence.push({ what: 'away_since', value: awaySince ?? at, at: awaySince ?? at });
  return {
    severity: 'critical',
    reason: 'moved',
    cause: isMistaken ? 'misconfiguration' : 'relocated',
    confidence: isMistaken ? 0.5 : 1,
    evidence,
    predicted: null,
  };
}

function shown({ lat, lon, datum }: DatumPoint): string {
  return [`${Number(lat.toFixed(6))},${Number(lon.toFixed(6))}`, datum].filter(Boolean).join(' ');
}
