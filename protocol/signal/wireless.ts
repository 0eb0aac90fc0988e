import type { Signal } from '../schemas/sample.ts';
import { knownSignal, numberIn } from './known.ts';

/**
 * What /proc/net/wireless (its whole text) says of Wi-Fi: the level and noise, dBm, of the first interface that has a level; nothing where
 * none has. The kernel prints dBm as negative numbers (net/wireless/wext-proc.c); a positive level is of a scale that only the driver
 * knows, 0 is no level and a noise of -256 is unknown: all are absent.
 */
export function wirelessSignal(text: string): Signal {
  for (const line of text.split('\n')) {
    const match = /^\s*\S+:\s+[0-9a-f]+\s+\S+\s+(\S+)\s+(\S+)/i.exec(line);
    const { rssi, ...rest } = knownSignal({ rat: 'wifi', rssi: numberIn(match?.[1]), noise: numberIn(match?.[2]) });
    if (rssi !== undefined) return { ...rest, rssi };
  }
  return {};
}
