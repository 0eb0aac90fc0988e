/** A merchant's limit as it is and as it will be, and what is used of it. */
export interface Merchant {
  acquirer: string;
  merchant: string;
  name: string | null;
  region: string | null;
  tz: string;
  /** The limit in force; null where there is none. */
  limit: number | null;
  limitReason: string | null;
  /** A limit that comes into force at `from`, epoch milliseconds. */
  coming: { limit: number | null; reason: string | null; from: number } | null;
  bindLimit: number | null;
  bindDays: number | null;
  /** Slots held, reserved, and (of the held) still taken by terminals that were swapped out. */
  held: number;
  pending: number;
  swappedOut: number;
  /** Use and limit when the merchant was last judged. */
  judged: { used: number; limit: number | null };
  /** When use last grown, or the limit last fell. */
  grownAt: number;
  /** When its row is next written down though it has not changed. */
  rowAt: number;
}

export function newMerchant(acquirer: string, merchant: string, at: number): Merchant {
  return {
    acquirer,
    merchant,
    name: null,
    region: null,
    tz: 'UTC',
    limit: null,
    limitReason: null,
    coming: null,
    bindLimit: null,
    bindDays: null,
    held: 0,
    pending: 0,
    swappedOut: 0,
    judged: { used: 0, limit: null },
    grownAt: at,
    rowAt: at,
  };
}

export function merchantKey(acquirer: string, merchant: string): string {
  return `${acquirer}/${merchant}`;
}

/** What counts against the limit. */
export function usedSlots({ held, pending }: Pick<Merchant, 'held' | 'pending'>): number {
  return held + pending;
}
