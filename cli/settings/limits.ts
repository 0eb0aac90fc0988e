/** The settings of the broker's limits. */
import { LIMIT_NAMES, LIMITS, type LimitValues } from '../../broker/limits/table.ts';
import type { Reader } from './reader.ts';
import type { Setting } from './setting.ts';

export interface LimitsSet {
  /** The broker's limits that an operator may set. */
  limits: Partial<LimitValues>;
}

const SET = LIMIT_NAMES.flatMap((limit) => {
  const row = LIMITS[limit];
  return 'setting' in row ? [{ limit, row, name: row.setting }] : [];
});

export const LIMIT_SETTINGS: readonly Setting<LimitsSet>[] = SET.map(({ limit, row, name }) => ({
  name,
  default: String(row.default),
  help: `${row.unit}, at most; 0 is no limit`,
  shown: (s) => String(s.limits[limit]),
}));

export function readLimits({ amount }: Reader): LimitsSet {
  return { limits: Object.fromEntries(SET.map(({ limit, name }) => [limit, amount(name)])) };
}
