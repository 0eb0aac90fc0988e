/** The rules of the demo: those of every installation, with times so short that a story takes a minute. */
export const DEMO_RULES = {
  'terminal.offline': {
    /** For a broken connection, seconds; 90 in real life. */
    lostHoldSeconds: 4,
    /** One expected hour in real life. */
    criticalAfterMinutes: 0.15,
  },
} as const;

/** Seconds of the simulated story in one: a terminal that reports each five minutes does so each five seconds. */
export const DEMO_SPEED = 60;
