import { describe, expect, it } from 'vitest';
import { LANGUAGES, remediesFor } from '../../../watch/alerts/remedies.ts';

const IN_SCOPE = [
  ['quota.terminals', 'approaching'],
  ['quota.terminals', 'reached'],
  ['quota.terminals', 'over'],
  ['coverage.weakening', 'trend'],
  ['coverage.weakening', 'step'],
  ['coverage.weakening', 'band'],
  ['coverage.weakening', 'reconnects'],
  ['coverage.weakening', 'agent'],
  ['terminal.offline', 'silent'],
  ['terminal.offline', 'lost'],
  ['terminal.unstable', 'flapping'],
  ['outage', 'site'],
  ['outage', 'cell'],
  ['outage', 'operator'],
  ['outage', 'acquirer'],
  ['outage', 'app'],
] as const;

describe('remedies', () => {
  it.each(IN_SCOPE)('of %s %s say what to do in every language', (type, reason) => {
    for (const language of LANGUAGES) {
      const remedies = remediesFor(type, reason, 'unknown', language);

      expect(remedies.length).toBeGreaterThan(0);
      expect(remedies.every((text) => /\p{Script=Han}/u.test(text) === (language === 'zh'))).toBe(true);
    }
  });

  it.each([
    ['quota.terminals', 'reached', 'limit_cut'],
    ['coverage.weakening', 'band', 'weak_signal'],
    ['coverage.weakening', 'band', 'interference'],
    ['coverage.weakening', 'step', 'obstructed'],
    ['coverage.weakening', 'step', 'relocated'],
    ['terminal.offline', 'silent', 'switched_off'],
    ['terminal.offline', 'silent', 'radio'],
    ['terminal.offline', 'lost', 'power'],
    ['terminal.offline', 'lost', 'site'],
    ['terminal.offline', 'lost', 'sim_data'],
    ['terminal.offline', 'silent', 'update'],
    ['terminal.unstable', 'flapping', 'power'],
    ['outage', 'site', 'power'],
  ] as const)('of %s %s say more for the cause %s, in every language', (type, reason, cause) => {
    for (const language of LANGUAGES) {
      const general = remediesFor(type, reason, 'unknown', language);
      const all = remediesFor(type, reason, cause, language);
      const more = all.slice(general.length);

      expect(all.slice(0, general.length)).toEqual(general);
      expect(more.length).toBeGreaterThan(0);
      expect(more.every((text) => /\p{Script=Han}/u.test(text) === (language === 'zh'))).toBe(true);
    }
  });

  it.each([
    ['terminal.offline', 'silent', 'radio'],
    ['outage', 'site', 'site'],
    ['outage', 'cell', 'cell'],
    ['outage', 'operator', 'operator'],
  ] as const)('of %s %s %s say how to take payments meanwhile', (type, reason, cause) => {
    expect(remediesFor(type, reason, cause).at(-1)).toMatch(/another SIM or Wi-Fi, or by a QR code/);
  });

  it('are English where no language is asked for', () => {
    expect(remediesFor('terminal.offline', 'silent', 'unknown')).toEqual(remediesFor('terminal.offline', 'silent', 'unknown', 'en'));
  });
});
