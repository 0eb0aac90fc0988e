/** What a measurement and its load say to each other. */

export interface LoadOptions {
  port: number;
  keysFile: string;
  connections: number;
  /** Reports that a terminal may have without PUBACK. */
  window: number;
  /** The numbers of the terminals: from the first on, this far apart. */
  first?: number;
  stride?: number;
  isTls?: boolean;
  /** Sends a birth after each connect. */
  births?: boolean;
  /** Sets RETAIN, which a report must not have: it is cleared, and the message goes the long way, through Aedes. */
  longWay?: boolean;
  acknowledgedFile?: string;
}

export type Phase =
  /** A rate of all together; 0: flat out. */
  | { kind: 'run'; seconds: number; rate: number }
  /** A report of each. */
  | { kind: 'once' }
  /** Connections that break stay so. */
  | { kind: 'calm' }
  /** All connect at once, and report. */
  | { kind: 'storm' };

export interface PhaseResult {
  acknowledged: number;
  offered: number;
  unacknowledged: number;
  resent: number;
  connects: number;
  disconnects: number;
  /** What was acknowledged within `seconds`; what was under way then came in `drainSeconds`. */
  rate: number;
  seconds: number;
  drainSeconds: number;
  /** Milliseconds from a report to its PUBACK. */
  p50: number;
  p99: number;
}
