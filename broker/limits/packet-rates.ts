/** How many packets a second terminals and acquirers may send, and who is over it. Nobody loses a packet: what is over is read later. */
import { LRUCache } from 'lru-cache';
import { Bucket, type Rate } from './bucket.ts';

export interface PacketRatesOptions {
  perTerminal: Rate;
  perAcquirer: Rate;
  /** Milliseconds of a clock that never steps. */
  uptime: () => number;
}

export interface PacketRates {
  /** What a terminal's connection counts by. */
  open(terminal: { user: string; acquirer: string }): Share;
  /** The connection has ended: one that comes back soon is not let off. */
  close(share: Share): void;
  spend(share: Share, packets: number): void;
  /** Milliseconds until a terminal is within its own limit. */
  terminalWaitMs(share: Share): number;
  acquirerWaitMs(acquirer: string): number;
}

export interface Share {
  readonly user: string;
  readonly acquirer: string;
  readonly bucket: Bucket;
}

/** Terminals that ended over their limit. */
const REMEMBERED = 10_000;

export function createPacketRates({ perTerminal, perAcquirer, uptime }: PacketRatesOptions): PacketRates {
  /** No more than there are acquirers: all of these have logged in. */
  const acquirers = new Map<string, Bucket>();
  const shares = new Map<string, Share>();
  const overdrawn = new LRUCache<string, Bucket>({ max: REMEMBERED });

  return {
    open: ({ user, acquirer }) => {
      if (!acquirers.has(acquirer)) acquirers.set(acquirer, new Bucket());
      // The connection that this one takes over from may not have ended.
      const share = { user, acquirer, bucket: shares.get(user)?.bucket ?? overdrawn.get(user) ?? new Bucket() };
      shares.set(user, share);
      return share;
    },
    close(share) {
      const { user, bucket } = share;
      if (shares.get(user) !== share) return;
      shares.delete(user);
      if (bucket.waitMs(perTerminal, uptime()) > 0) overdrawn.set(user, bucket);
      else overdrawn.delete(user);
    },
    spend({ acquirer, bucket }, packets) {
      const now = uptime();
      bucket.spend(packets, perTerminal, now);
      acquirers.get(acquirer)!.spend(packets, perAcquirer, now);
    },
    terminalWaitMs: ({ bucket }) => bucket.waitMs(perTerminal, uptime()),
    acquirerWaitMs: (acquirer) => acquirers.get(acquirer)!.waitMs(perAcquirer, uptime()),
  };
}
