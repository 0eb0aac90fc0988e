/** Names that nobody else uses, and that no two seeds share: a simulated fleet lives beside a real one, and beside another. */

/** Merchants are counted from here, so that their numbers have as many digits for a long time. */
const FIRST_MERCHANT = 1001;
const SERIAL = 'SIM';

/** A merchant of the fleet of a seed, counted from 0. */
export interface Numbered {
  seed: number;
  index: number;
}

export function merchantName({ seed, index }: Numbered): string {
  return `sim${seed}-${FIRST_MERCHANT + index}`;
}

/** `place`: of the terminal among its merchant's, from 0. */
export function plannedSerial(merchant: Numbered, place: number): string {
  return serials(merchant) + String(place + 1).padStart(2, '0');
}

/** Of the n-th terminal that the merchant gets later, from 1. */
export function laterSerial(merchant: Numbered, n: number): string {
  return `${serials(merchant)}N${n}`;
}

export function tidOf(sn: string): string {
  return sn.slice(SERIAL.length);
}

function serials({ seed, index }: Numbered): string {
  return `${SERIAL}${seed}-${String(FIRST_MERCHANT + index).padStart(6, '0')}`;
}
