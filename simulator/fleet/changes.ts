/** Changes of the registry, and what they do to the terminals. */
import { replace, type Telling } from '../life/life.ts';
import { draw } from '../random.ts';
import { SWAP } from '../ranges.ts';
import type { Life, MerchantState } from '../state.ts';
import { merchantRow, rowOf, terminalRow } from './rows.ts';

const MINUTE_MS = 60_000;
const NEW_SERIAL = 'N';

/** A serial number that nobody has yet. */
function issue(merchant: MerchantState): string {
  merchant.issued++;
  return `SN${merchant.plan.id.slice(2).padStart(6, '0')}${NEW_SERIAL}${merchant.issued}`;
}

/** Binds `count` new terminals, which lie in their boxes yet. Returns what unbinds them. */
export function bindMore(merchant: MerchantState, count: number, at: number, { emit }: Telling): (at: number) => void {
  const site = merchant.lives[0]!.plan;
  const boxes = Array.from({ length: count }, () => {
    const sn = issue(merchant);
    return { ...site, sn, tid: sn.slice(2) };
  });
  for (const box of boxes) emit({ at, kind: 'registry', row: terminalRow(merchant, box, 'active') });
  merchant.held += count;
  return (until) => {
    for (const box of boxes) emit({ at: until, kind: 'registry', row: terminalRow(merchant, box, 'deleted') });
    merchant.held -= count;
  };
}

export function setLimit(
  merchant: MerchantState,
  limit: number,
  at: number,
  { emit }: Telling,
  columns: Record<string, string> = {},
): void {
  merchant.limit = limit;
  emit({ at, kind: 'registry', row: merchantRow(merchant, columns) });
}

/** A new terminal takes over. Returns what unbinds the old one, which holds its slot until then. */
export function swap(life: Life, at: number, telling: Telling): (at: number) => void {
  const { merchant } = life;
  const old = life.sn;
  const sn = issue(merchant);
  telling.emit({ at, kind: 'registry', row: rowOf(life, 'active', sn) });
  telling.emit({ at, kind: 'registry', row: rowOf(life, 'swapped_out', old) });
  merchant.held++;
  replace(life, at, sn, at + draw(life.stream, SWAP.takesMinutes) * MINUTE_MS, telling);
  return (until) => {
    telling.emit({ at: until, kind: 'registry', row: rowOf(life, 'deleted', old) });
    merchant.held--;
  };
}
