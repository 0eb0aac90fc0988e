/** The part of the fold that follows merchants: their limits, their use of them, and what is wrong with it. */
import { type Merchant, merchantKey, usedSlots } from '../fleet/merchants.ts';
import { judgeQuota } from '../rules/quota.ts';
import type { FoldCore } from './core.ts';

const DAY_MS = 86_400_000;

export class Merchants {
  readonly #core: FoldCore;

  constructor(core: FoldCore) {
    this.#core = core;
  }

  /** Sets the deadlines of a merchant that was loaded. */
  load(m: Readonly<Merchant>): void {
    this.#schedule(m);
  }

  judge(key: string): void {
    const { state, now, rules } = this.#core;
    const m = state.merchants.change(key)!;
    const used = usedSlots(m);
    const fell = m.limit !== null && m.judged.limit !== null && m.limit < m.judged.limit;
    if (used > m.judged.used || fell) m.grownAt = now;
    const subject = { acquirer: m.acquirer, merchant: m.merchant };
    this.#core.announce('quota.terminals', key, subject, (firing) => judgeQuota(m, firing, now, rules['quota.terminals']));
    if (used !== m.judged.used || m.limit !== m.judged.limit) this.#row(m);
    m.judged = { used, limit: m.limit };
    this.#schedule(m);
  }

  /** A limit that was known to come is in force from its date on; or use has not grown for long. */
  due(key: string): void {
    const m = this.#core.state.merchants.change(key)!;
    if (m.coming && m.coming.from <= this.#core.now) {
      m.limit = m.coming.limit;
      m.limitReason = m.coming.reason;
      m.coming = null;
    }
    this.judge(key);
  }

  /** A row each day though nothing changed. */
  daily(key: string): void {
    this.#row(this.#core.state.merchants.change(key)!);
  }

  #schedule(m: Readonly<Merchant>): void {
    const { wheel, now, rules } = this.#core;
    const key = merchantKey(m.acquirer, m.merchant);
    const staleAt = m.grownAt + rules['quota.terminals'].staleDays * DAY_MS;
    const ahead = [m.coming?.from, staleAt].filter((at) => at !== undefined && at > now) as number[];
    wheel.set('merchant', key, Math.min(...ahead));
    wheel.set('daily', key, m.rowAt);
  }

  #row(m: Merchant): void {
    const { wheel, now } = this.#core;
    const { acquirer, merchant, limit, held, pending, swappedOut: reclaimable } = m;
    const headroom = limit === null ? null : limit - usedSlots(m);
    this.#core.row({ measurement: 'merchant', at: now, acquirer, merchant, limit, held, pending, reclaimable, headroom });
    m.rowAt = now + DAY_MS;
    wheel.set('daily', merchantKey(acquirer, merchant), m.rowAt);
  }
}
