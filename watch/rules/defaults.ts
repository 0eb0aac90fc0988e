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
    /** An update that began longer ago explains no silence. */
    updateMinutes: 120,
    /** Registrations in one report that make the radio the cause. */
    registrations: 2,
    /** How long a terminal that is back has to tell what its silence was. */
    toldMinutes: 10,
  },
  'terminal.unstable': {
    /** So many changes between there and gone, within so long; it ends after as long without one. */
    changes: 5,
    windowMinutes: 30,
  },
  outage: {
    leastTerminals: 5,
    leastPercent: 50,
    /** Who went within this, or within its own interval where that is longer, went together. */
    windowMinutes: 5,
    /** What a group must cover of all that was lost with it, to be named for it. */
    coverPercent: 90,
    /** It ends when so many of its members are back. */
    backPercent: 90,
    /** After its end, how many of its intervals a member has to be heard again before it is announced by itself. */
    missingIntervals: 1,
    /** How often a growing outage is told anew. */
    tellSeconds: 60,
  },
  /** How long after its end a warning may still come true: of a weak signal, and of a quota where it names no date. */
  foresight: {
    coverageMinutes: 30,
    quotaDays: 30,
  },
  'coverage.weakening': {
    /** A sample is of now up to this age, the longer of the two; and so far apart, "in a row" begins anew. */
    freshIntervals: 3,
    freshMinutes: 15,
    bandSamples: 3,
    /** dB under the median of the day before, of which so many hours must be known. */
    stepDb: 10,
    stepSamples: 3,
    stepHistoryHours: 3,
    /** Reports that a fall must take, the minutes within which it must reach critical, its least dB, and the variance that it explains. */
    trendReports: 6,
    trendMinutes: 30,
    trendFallDb: 6,
    trendFit: 0.7,
    reconnects: 4,
    reconnectMinutes: 60,
    /** An agent that was heard for so long without a further word has forgotten what it said. */
    agentHours: 24,
    /** Of the last so many days heard, 28 at the most, those that must have been weak for a terminal to live in a weak band. */
    usualDays: 14,
    usualDaysOf: 21,
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
export type OutageRules = Rules['outage'];
export type UnstableRules = Rules['terminal.unstable'];
export type CoverageRules = Rules['coverage.weakening'];
export type PlaceRules = Rules['place.moved'];
export type PlatformRules = Rules['platform.blind'];
