import * as z from 'zod/mini';
import { type Signal, signal } from '../schemas/sample.ts';

/** The members of a signal as some modem gave them: of any type, any of them unknown. */
export type Reading = { [M in keyof Signal]?: unknown };

/**
 * What a radio can measure, inclusive; modems mark the unknown with numbers outside of it (-200, -256, 0 dBm, -127 of Android's Wi-Fi,
 * 2147483647, SNR -30). dBm: rsrp (TS 36.133 9.1.4, TS 38.133 10.1.6), rssi, rscp (TS 25.133 9.1.1.3), noise. dB: rsrq (TS 38.133
 * 10.1.11), sinr (TS 38.133 10.1.16), ecno (TS 25.133 9.1.2.3).
 */
const MEASURABLE: Partial<Record<keyof Signal, readonly [number, number]>> = {
  rsrp: [-157, -20],
  rsrq: [-43.5, 20],
  sinr: [-24, 40],
  rssi: [-126, -1],
  rscp: [-121, -20],
  ecno: [-25, 1],
  noise: [-126, -1],
};

/** The signal that a reading holds: what is unknown, impossible or of a wrong type is absent. */
export function knownSignal(reading: Reading): Signal {
  const members = Object.entries(signal.shape).flatMap(([name, schema]) => {
    const value = reading[name as keyof Signal];
    const isKnown = value !== undefined && isMeasurable(name as keyof Signal, value) && z.safeParse(schema, value).success;
    return isKnown ? [[name, value] as const] : [];
  });
  return Object.fromEntries(members) as Signal;
}

/** Whether a radio can measure this at all: false for the numbers that stand for "unknown". */
export function isMeasurable(name: keyof Signal, value: unknown): boolean {
  const range = MEASURABLE[name];
  return range === undefined || (typeof value === 'number' && value >= range[0] && value <= range[1]);
}

/** A decimal number in a text; undefined for anything else (`--`, `-`, empty). */
export function numberIn(text: unknown): number | undefined {
  return typeof text === 'string' && /^\s*[+-]?\d+(\.\d*)?\s*$/.test(text) ? Number(text) : undefined;
}

/**
 * A hexadecimal area code or cell id, as every conversion writes it: lower case without leading zeros, so that a cell has one name
 * whatever modem saw it. All zeros or all Fs, and FFFE, are the codes of no cell (TS 23.003 4.1 and 4.3.1).
 */
export function hexCode(text: unknown): string | undefined {
  if (typeof text !== 'string' || !/^[0-9a-f]{1,16}$/i.test(text)) return undefined;
  const code = text.toLowerCase().replace(/^0+/, '');
  return code === '' || /^(f{4,}|f+e)$/.test(code) ? undefined : code;
}

/** Country and network code of a numeric operator name such as `46000` or `310260`. */
export function plmn(text: unknown): { mcc?: string; mnc?: string } {
  const match = typeof text === 'string' ? /^(\d{3})(\d{2,3})$/.exec(text) : null;
  return match ? { mcc: match[1]!, mnc: match[2]! } : {};
}
