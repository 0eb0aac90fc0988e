import { closestMatch } from 'leven';
import { SETTINGS } from './config.ts';

/** The agent's settings, which read it themselves, and what the scripts and tests of a checkout take. */
const OF_OTHERS = /^TILLWATCH_(AGENT_.+|TEST_REPORT|SERVERS_CACHE|PROPERTY_RUNS|ALL_TRACES|ROUNDS|OUTAGE_SECONDS)$/;
/** Letters that differ at the most between what was meant and what was written. */
const MOST_DIFFERING = 3;

/** A line for each variable that looks like a setting of ours and is none. A warning, as other tools may have their own. */
export function unknownSettings(env: Record<string, string | undefined>): string[] {
  const known = SETTINGS.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name]));
  const unknown = Object.keys(env).filter((name) => name.startsWith('TILLWATCH_') && !known.includes(name) && !OF_OTHERS.test(name));
  return unknown.map((name) => {
    const meant = closestMatch(name, known, { maxDistance: MOST_DIFFERING });
    return `${name} is no setting, and has no effect${meant === undefined ? '' : `: did you mean ${meant}?`}`;
  });
}
