/** The webhooks, put together: their state, who is told, and the courier that tells. */
import type { StateStore } from '../../backbone/state.ts';
import type { Clock, Owner } from '../owner/owner.ts';
import type { Patience } from '../patience.ts';
import type { Range } from '../webhooks/addresses.ts';
import { Book } from '../webhooks/book.ts';
import { Courier } from '../webhooks/courier.ts';
import { post, refusalOfHost } from '../webhooks/post.ts';
import { Webhooks } from '../webhooks/webhooks.ts';

export interface WebhookParts {
  /** The webhooks' own, and the watch's, whose outbox they read. */
  state: StateStore;
  watchState: StateStore;
  owner: Owner;
  clock: Clock;
  random(bytes: number): Buffer;
  patience: Patience;
  allowed: readonly Range[];
  say(line: string): void;
}

export function openWebhooks({ state, watchState, owner, clock, random, patience, allowed, say }: WebhookParts) {
  const book = new Book(state);
  const courier = new Courier({
    book,
    state,
    watchState,
    clock,
    patience,
    say,
    random: () => random(4).readUInt32BE() / 2 ** 32,
    post: (url, headers, body, signal) => post(url, headers, body, { allowed, signal }),
    saved: (signal) => owner.saved(signal),
    outboxRead: (sequence) => owner.outboxRead('webhooks', sequence),
  });
  const write = courier.write.bind(courier);
  const webhooks = new Webhooks({ book, state, write, now: clock.now, monotonic: clock.monotonic, random });
  return { book, courier, webhooks, refusalOf: (url: URL) => refusalOfHost(url, allowed) };
}
