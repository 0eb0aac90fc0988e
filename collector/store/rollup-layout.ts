/** What of samples is kept when they have gone: names that readers of both stores share. */

/** Samples as they came, and what stands for them later. */
export const SAMPLES = 'terminal';
export const ROLLUP = 'terminal_5m';

/** The stretch of time that one roll-up stands for. */
export const WINDOW_MS = 5 * 60_000;

/** What is made of a number: of a level its least, mean and greatest, of a state the last, of a count the sum. */
export type Kind = 'level' | 'state' | 'count';

/** The numbers of samples that are rolled up: those that a chart of months is drawn of. */
export const ROLLED: Readonly<Record<string, Kind>> = {
  signal_rsrp: 'level',
  signal_rsrq: 'level',
  signal_sinr: 'level',
  signal_rssi: 'level',
  radio_risk: 'level',
  power_battery: 'level',
  sim_usedBytes: 'state',
  bindings_terminals_bound: 'state',
  bindings_terminals_limit: 'state',
  bindings_peripherals_bound: 'state',
  bindings_peripherals_limit: 'state',
  link_reconnects: 'count',
  link_registrations: 'count',
  link_connectedSeconds: 'count',
  radio_seconds: 'count',
  radio_weakSeconds: 'count',
  radio_criticalSeconds: 'count',
  radio_noisySeconds: 'count',
  radio_cellChanges: 'count',
};

/** The fields that a kind becomes, after the number's name. */
export const SUFFIXES = { level: ['min', 'mean', 'max'], state: ['last'], count: ['sum'] } as const;
