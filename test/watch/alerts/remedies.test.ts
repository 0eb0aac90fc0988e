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
  ] as const)('of %s %s have a line more for the cause %s', (type, reason, cause) => {
    for (const language of LANGUAGES) {
      const general = remediesFor(type, reason, 'unknown', language);

      expect(remediesFor(type, reason, cause, language)).toEqual([...general, expect.any(String)]);
    }
  });

  it('are English where no language is asked for', () => {
    expect(remediesFor('terminal.offline', 'silent', 'unknown')).toEqual(remediesFor('terminal.offline', 'silent', 'unknown', 'en'));
  });
});
