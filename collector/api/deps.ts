import type { Keys } from '../../backbone/credentials/rotation.ts';
import type { StateStore } from '../../backbone/state.ts';
import type { ControlEntry } from '../../protocol/control.ts';
import type { OwnerEntry } from '../../protocol/entries.ts';
import type { Watch } from '../../watch/fold/watch.ts';
import type { Quarantine } from '../owner/quarantine.ts';
import type { HistoryQuery, HistoryRow } from '../store/history.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import type { Access, Bearer } from './access.ts';

/** What the API reads and asks for; the collector owns all of it. */
export interface ApiDeps {
  watch: Watch;
  watchState: StateStore;
  feedState: StateStore;
  /** What the watch and what the store did not take in: its rows are in the states of the two. */
  quarantine: { messages: Quarantine; points: Quarantine };
  access: Access;
  now(): number;
  random(bytes: number): Buffer;
  /** Appends entries to the owner's log; resolves once they are durable and folded. */
  submit(entries: (at: number) => OwnerEntry[]): Promise<void>;
  control(entry: ControlEntry): Promise<void>;
  /** A token for an MQTT user name, good until `expiresAt`. */
  enroll(user: string, expiresAt: number): Promise<string>;
  /** The keys that sign such tokens. */
  keys: Keys;
  /** What is not ready, in words; empty where all is. */
  unready(): string[];
  /** A number of a terminal over time, out of the store. Errors: StoreError. */
  history(query: HistoryQuery): Promise<HistoryRow[]>;
  webhooks: Webhooks;
  /** Why webhooks may not be delivered to an address, in words; null where they may. Errors: the look-up's. */
  refusalOf(url: URL): Promise<string | null>;
  metrics(): Promise<string>;
  say(line: string): void;
}

/** What is known of a request's sender. */
export interface ApiEnv {
  Variables: Bearer;
}
