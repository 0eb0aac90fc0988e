/** Every default number of the watches, with its unit. docs/alerts say what each is for; the source is the alert catalogue. */
export const DEFAULT_RULES = {
  'quota.terminals': {
    approachingPercent: 80,
    criticalPercent: 95,
    /** Slots left at which a merchant approaches its limit: where the limit is at least `smallLimit`, and where it is smaller. */
    approachingLeft: 2,
    approachingLeftSmall: 1,
    smallLimit: 5,
    criticalLeft: 1,
    /** Limits up to this are full in normal life: reached is information, and only over is an alert. */
    tinyLimit: 2,
    /** To resolve, use must be this far under the line it crossed, in percentage points and in slots. */
    slackPoints: 5,
    slackSlots: 2,
    slackSlotsSmall: 1,
    slackSmallLimit: 10,
    /** A merchant whose use has not grown for so long falls to information. */
    staleDays: 90,
  },
  'terminal.offline': {
    suspectIntervals: 1.5,
    offlineIntervals: 2,
    offlineKeepalives: 3,
    lostHoldSeconds: 90,
    /** A goodbye this close to closing is the end of the day. */
    closingMinutes: 30,
    criticalAfterMinutes: 60,
    /** After our own blindness, how many of its intervals a terminal has to be heard again. */
    blindIntervals: 1,
  },
  'place.moved': {
    /** Away from its place: farther than this, and than so many times the accuracy of the fix. */
    farMeters: 500,
    farAccuracies: 3,
    /** Moved: away in fixes that are so far apart, and in all between them. */
    apartMinutes: 10,
    /** Back: so many fixes in a row within this. */
    nearMeters: 300,
    backFixes: 2,
    /** A fix that comes so long after it was made is history. */
    historyMinutes: 60,
  },
  'platform.blind': {
    /** A clock that is put right by more has stepped. */
    clockStepSeconds: 5,
    /** A step is told of until every terminal has had an interval to be heard, but no longer than this. */
    clockMostMinutes: 60,
    /** A store that has taken nothing for so long is dead, a collector that is so far behind the log is late. */
    storeSeconds: 10,
    collectorSeconds: 60,
  },
} as const;

export type Rules = { [T in keyof typeof DEFAULT_RULES]: { [K in keyof (typeof DEFAULT_RULES)[T]]: number } };
export type QuotaRules = Rules['quota.terminals'];
export type OfflineRules = Rules['terminal.offline'];
export type PlaceRules = Rules['place.moved'];
export type PlatformRules = Rules['platform.blind'];
