/**
 * Who may not even try to log in. A token cannot be guessed; what failures cost is work and lines in the log, so those who go on
 * failing are answered unseen. Whoever fails under a terminal's name elsewhere does not lock the terminal out: its own address has not failed.
 */
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { Bucket, type Rate } from './bucket.ts';

export interface FailedLogins {
  /** Why a log-in is to be refused without a look at its credentials, where it is. */
  blocked(user: string, address: string | undefined): 'failing_address' | 'failing_identity' | undefined;
  /** `user`: a well formed name, or undefined. */
  failed(user: string | undefined, address: string | undefined): void;
}

export interface FailedLoginsOptions {
  perAddress: Rate;
  perIdentity: Rate;
  uptime: () => number;
}

/** Addresses, and as many names. Of more, those that failed longest ago are forgotten. */
export const REMEMBERED = 10_000;

export function createFailedLogins({ perAddress, perIdentity, uptime }: FailedLoginsOptions): FailedLogins {
  const addresses = new LRUCache<string, Bucket>({ max: REMEMBERED });
  const identities = new LRUCache<string, Bucket>({ max: REMEMBERED });

  function spend(buckets: LRUCache<string, Bucket>, key: string | undefined, rate: Rate): void {
    if (key === undefined) return;
    const bucket = buckets.get(key) ?? new Bucket();
    bucket.spend(1, rate, uptime());
    buckets.set(key, bucket);
  }

  return {
    blocked(user, address) {
      const now = uptime();
      const failures = addresses.peek(networkOf(address) ?? '');
      if (!failures || failures.isFull(now)) return undefined;
      if (failures.waitMs(perAddress, now) > 0) return 'failing_address';
      return (identities.peek(user)?.waitMs(perIdentity, now) ?? 0) > 0 ? 'failing_identity' : undefined;
    },
    failed(user, address) {
      spend(addresses, networkOf(address), perAddress);
      spend(identities, user, perIdentity);
    },
  };
}

/** What one client can choose its address from: an IPv4 address, a /64 of IPv6. */
export function networkOf(address: string | undefined): string | undefined {
  if (address === undefined || !ipaddr.isValid(address)) return undefined;
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv4' ? parsed.toString() : parsed.toByteArray().slice(0, 8).join('.');
}
