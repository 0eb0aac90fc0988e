/**
 * Every range that the simulator draws from, with its unit. Nothing is tuned elsewhere. A pair is [least, most], both of them whole
 * numbers that may be drawn; a weighted list is [value, weight] with weights of any sum.
 */
type Pair = readonly [least: number, most: number];

export const ACQUIRERS = [
  ['acme', 6],
  ['globex', 3],
  ['initech', 1],
] as const;

/**
 * Where towns lie. Zones without summer time alone: their offset (minutes east of UTC) is all the arithmetic that opening hours need, and
 * it does not depend on the time-zone data of the Node that runs. `operators`: [MCC-MNC, weight].
 */
export const REGIONS = [
  {
    name: 'CN-SH',
    tz: 'Asia/Shanghai',
    offsetMinutes: 480,
    lat: 31.23,
    lon: 121.47,
    operators: [
      ['460-00', 5],
      ['460-01', 3],
      ['460-11', 2],
    ],
  },
  {
    name: 'SG',
    tz: 'Asia/Singapore',
    offsetMinutes: 480,
    lat: 1.35,
    lon: 103.82,
    operators: [
      ['525-01', 5],
      ['525-05', 3],
      ['525-03', 2],
    ],
  },
  {
    name: 'IN-MH',
    tz: 'Asia/Kolkata',
    offsetMinutes: 330,
    lat: 19.08,
    lon: 72.88,
    operators: [
      ['404-20', 5],
      ['405-86', 5],
    ],
  },
  {
    name: 'AE-DU',
    tz: 'Asia/Dubai',
    offsetMinutes: 240,
    lat: 25.2,
    lon: 55.27,
    operators: [
      ['424-02', 6],
      ['424-03', 4],
    ],
  },
] as const;
/** Of REGIONS, in their order. */
export const REGION_WEIGHTS = [5, 2, 2, 1] as const;

export const TOWN = {
  /** Merchants that share a town, and with it its cells. */
  merchants: 24,
  cells: [2, 4] as Pair,
  /** Ten-thousandths of a degree around the region's centre, and of a site around its town's. */
  spread: [-4000, 4000] as Pair,
  siteSpread: [-150, 150] as Pair,
};

/**
 * Kinds of places. `rsrpDbm`, `rsrqDb`, `sinrDb`: what a terminal there has in the middle. `salesPerHour`: of one terminal. `weeks`: opening
 * hours of seven days, Monday first. Signals lie well inside the good and fair bands: a weak place would be an alert of its own.
 */
const SHOP_HOURS = ['09:00-21:00', '09:00-21:00', '09:00-21:00', '09:00-21:00', '09:00-21:00', '10:00-22:00', '10:00-20:00'];
export const PLACES = {
  kiosk: {
    weight: 20,
    terminals: [1, 1],
    rsrpDbm: [-94, -78],
    salesPerHour: [4, 14],
    use: 'fixed',
    weeks: [['07:00-19:00', '07:00-19:00', '07:00-19:00', '07:00-19:00', '07:00-19:00', '08:00-18:00', ''], SHOP_HOURS],
  },
  shop: {
    weight: 35,
    terminals: [1, 4],
    rsrpDbm: [-92, -72],
    salesPerHour: [3, 20],
    use: 'fixed',
    weeks: [SHOP_HOURS, ['08:30-20:30', '08:30-20:30', '08:30-20:30', '08:30-20:30', '08:30-20:30', '08:30-20:30', '']],
  },
  clinic: {
    weight: 8,
    terminals: [1, 3],
    rsrpDbm: [-94, -82],
    salesPerHour: [2, 8],
    use: 'fixed',
    weeks: [
      [
        '08:00-12:00,14:00-20:00',
        '08:00-12:00,14:00-20:00',
        '08:00-12:00,14:00-20:00',
        '08:00-12:00,14:00-20:00',
        '08:00-12:00,14:00-20:00',
        '08:00-13:00',
        '',
      ],
    ],
  },
  bar: {
    weight: 10,
    terminals: [2, 5],
    rsrpDbm: [-93, -76],
    salesPerHour: [5, 25],
    use: 'fixed',
    weeks: [['', '18:00-02:00', '18:00-02:00', '18:00-02:00', '18:00-03:00', '18:00-03:00', '17:00-01:00']],
  },
  supermarket: {
    weight: 12,
    terminals: [6, 14],
    rsrpDbm: [-90, -70],
    salesPerHour: [15, 45],
    use: 'fixed',
    weeks: [['08:00-22:00', '08:00-22:00', '08:00-22:00', '08:00-22:00', '08:00-22:00', '08:00-22:00', '09:00-21:00']],
  },
  fuel: {
    weight: 9,
    terminals: [2, 6],
    rsrpDbm: [-92, -74],
    salesPerHour: [3, 16],
    use: 'fixed',
    weeks: [['00:00-24:00', '00:00-24:00', '00:00-24:00', '00:00-24:00', '00:00-24:00', '00:00-24:00', '00:00-24:00']],
  },
  courier: {
    weight: 6,
    terminals: [1, 4],
    rsrpDbm: [-94, -80],
    salesPerHour: [1, 6],
    use: 'mobile',
    weeks: [['08:00-20:00', '08:00-20:00', '08:00-20:00', '08:00-20:00', '08:00-20:00', '08:00-20:00', '']],
  },
} as const;

export const SIGNAL = {
  /** dB around the middle: a slow walk between these, and the noise of one report. */
  walkDb: [-3, 3] as Pair,
  noiseDb: [-1, 1] as Pair,
  /** Percent of reports at which the walk takes a step: a radio that stands still does not fall six times in a row. */
  stepPercent: 20,
  rsrqDb: [-11, -8] as Pair,
  sinrDb: [9, 18] as Pair,
  /** RSSI lies this far over RSRP, dB. */
  rssiOverDb: [22, 28] as Pair,
};

export const MERCHANT = {
  sites: [
    [1, 85],
    [2, 10],
    [3, 5],
  ],
  /** Slots in use of the limit, percent, and slots that are left at the least: far under every line of quota.terminals. */
  usedPercent: [25, 55] as Pair,
  leastLeft: 5,
  /** Of merchants with one terminal, percent that have a limit of one: full in normal life. */
  fullPercent: 10,
} as const;

export const TERMINAL = {
  models: [
    ['A920', 5],
    ['A80', 3],
    ['P2', 2],
  ],
  /** The newest last. Its bearers are few: an update is rolled out slowly. */
  apps: [
    ['3.4.0', 3],
    ['3.4.1', 5],
    ['3.5.0', 2],
  ],
  intervalSeconds: [
    [60, 1],
    [300, 7],
    [600, 1],
    [900, 1],
  ],
  keepaliveSeconds: [
    [60, 2],
    [120, 3],
    [330, 5],
  ],
  peripheralLimit: [
    [4, 5],
    [6, 3],
    [8, 2],
  ],
  peripherals: [1, 2] as Pair,
  /** Percent that know where they are, and that sum their radio up between reports. */
  placePercent: 60,
  radioPercent: 40,
  simPlanMib: [
    [30, 6],
    [50, 3],
    [100, 1],
  ],
  simResetDay: [1, 28] as Pair,
  /** Hundredths of a percent of the plan that a day takes: a month never comes to 80 %. */
  simDailyUse: [100, 240] as Pair,
  /** Battery in hundredths, and metres of a fix. */
  battery: [70, 100] as Pair,
  accuracyMetres: [8, 40] as Pair,
} as const;

export const LIFE = {
  /** Milliseconds between a sample and its coming in; the steps of a log-in. */
  latencyMs: [150, 1800] as Pair,
  onlineAfterMs: [80, 400] as Pair,
  firstReportMs: [1500, 9000] as Pair,
  /** Connections at the very start are spread over this, milliseconds. */
  rampMs: [0, 240_000] as Pair,
  /** Minutes before opening at which somebody switches on, and after closing at which somebody switches off. */
  earlyMinutes: [1, 18] as Pair,
  lateMinutes: [0, 15] as Pair,
  /** Hours between two short breaks of a connection, and how long one lasts, seconds. */
  breakHours: [6, 60] as Pair,
  breakSeconds: [3, 45] as Pair,
  /** Percent of breaks that the broker sees at once; it sees the others when the terminal is back. */
  resetPercent: 60,
  /** Reports between two that carry bindings, SIM use and place. */
  slowEvery: 6,
  /** Permille of reports that are sent once more, as after a PUBACK that got lost. */
  repeatPermille: 2,
} as const;

export const SALES = {
  /** Percent of the sales of an interval, around its mean. */
  spreadPercent: [40, 160] as Pair,
  cards: [
    ['debit', 5],
    ['credit', 3],
    ['wallet', 2],
  ],
  /** Percent of reports with a decline of the cardholder's or the issuer's; permille with a time-out. */
  declinePercent: 9,
  declines: [
    ['51', 5],
    ['55', 4],
    ['61', 2],
    ['54', 1],
    ['05', 2],
    ['14', 1],
    ['75', 1],
  ],
  timeoutPermille: 1,
  /** Permille with a refund. */
  refundPermille: 8,
} as const;

export const SWAP = {
  /** Days between two swaps of a merchant, and minutes until the old serial is unbound. */
  everyDays: [20, 120] as Pair,
  unbindMinutes: [30, 900] as Pair,
  /** Minutes from the goodbye of the old terminal to the log-in of the new one. */
  takesMinutes: [3, 9] as Pair,
} as const;

/** Incidents. Minutes, unless a name says otherwise; times are of the story. */
export const INCIDENT = {
  /** Incidents in 1 000 terminal-days of the scenario `day`, and in a scenario of one type: percent of merchants a day. */
  dayPer1000: [12, 24] as Pair,
  aloneDailyPercent: 60,
  /** Percent of days with one incident of the whole fleet, and of a town, in `day`. */
  fleetDailyPercent: 50,
  townDailyPercent: 1,
  townAlonePercent: 30,
  /** After opening, and before closing, within which nothing is staged. */
  afterOpening: 45,
  beforeClosing: 40,
  /** Evidence before a silence, and the silence beyond the moment at which it must have been told. */
  evidence: [20, 50] as Pair,
  silence: [10, 60] as Pair,
  /** A site, cell, operator or app that is gone; seconds over which its terminals drop, and within which they return. */
  outage: [20, 70] as Pair,
  outageSpreadSeconds: [1, 40] as Pair,
  returnSpreadSeconds: [2, 90] as Pair,
  /** Between two binds or swaps of a climb. */
  climbStep: [4, 25] as Pair,
  limitAfterCut: [0, 1] as Pair,
  climbHolds: [30, 180] as Pair,
  attachedOver: [1, 2] as Pair,
  peripheralsHold: [60, 180] as Pair,
  driftSlots: [1, 3] as Pair,
  driftHours: [50, 60] as Pair,
  heldHours: [27, 50] as Pair,
  silentDays: [31, 34] as Pair,
  conflictHolds: [30, 120] as Pair,
  fade: [60, 100] as Pair,
  fadedDbm: [-118, -112] as Pair,
  stepDb: [12, 16] as Pair,
  weakHolds: [50, 110] as Pair,
  noisySinrDb: [-2, 2] as Pair,
  noisyRsrqDb: [-18, -16] as Pair,
  reconnectsPerReport: [4, 6] as Pair,
  /** Comings and goings: how many, and seconds gone and there again. */
  flaps: [5, 8] as Pair,
  flapGoneSeconds: [15, 40] as Pair,
  flapThereSeconds: [40, 100] as Pair,
  /** Hundredths of the SIM plan at which use goes on to rise past its end. */
  simFrom: [70, 78] as Pair,
  simRise: [60, 120] as Pair,
  declinesPerReport: [2, 4] as Pair,
  declinesHold: [100, 200] as Pair,
  approvalsBefore: [60, 100] as Pair,
  movedKm: [2, 20] as Pair,
  movedHolds: [60, 150] as Pair,
  blind: [5, 25] as Pair,
  /** All are back within the shortest interval: our blindness is nobody's fault that long. */
  afterBlindSeconds: [1, 45] as Pair,
  clockStepSeconds: [30, 300] as Pair,
  laggingHours: [6, 20] as Pair,
  laggingPercent: 35,
} as const;

/** What a live run asks of a machine: bytes of memory and file descriptors of one terminal, and descriptors that the process itself needs. */
export const MACHINE = { bytesPerTerminal: 40_000, bytesOfProcess: 150_000_000, descriptorsOfProcess: 64 } as const;
