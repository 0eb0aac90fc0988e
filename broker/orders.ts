/** What the control log and revocation lists tell a broker to do. */
import type { Aedes } from 'aedes';
import type { ControlEntry } from '../protocol/control.ts';
import { terminalKey } from '../protocol/topics.ts';
import { commandTopic } from './access.ts';
import type { Acted } from './limits/acted.ts';
import type { LimitValues } from './limits/table.ts';
import type { Revocations } from './revocations.ts';
import type { Sessions } from './sessions.ts';

export interface OrdersOptions {
  aedes: Pick<Aedes, 'publish'>;
  /** What the session of a client id still has to be acknowledged. */
  outgoing(id: string): AsyncIterable<unknown>;
  limits: Pick<LimitValues, 'commands'>;
  acted: Acted;
  now: () => number;
  revocations: Revocations;
  sessions: Sessions;
  reloadKeys(): Promise<void>;
}

export interface Orders {
  /** Carries out an entry. `live`: appended since this broker follows the log; older commands were another's to send. */
  take(entry: ControlEntry, live: boolean): void;
  /** Takes the revocation lists of certificates, in place of those before. */
  list(certificates: ReadonlySet<string>): void;
}

type Command = Extract<ControlEntry, { kind: 'command' }>;

export function createOrders({ aedes, outgoing, limits, acted, now, revocations, sessions, reloadKeys }: OrdersOptions): Orders {
  function revoke(user: string, at: number): void {
    revocations.add(user, at);
    sessions.end(({ issued }) => issued <= at, user);
  }

  let sending: Promise<void> = Promise.resolve();

  async function send(entry: Command): Promise<void> {
    const { command } = entry;
    const expired = command.expires !== undefined && command.expires <= now();
    if (expired || sessions.open(terminalKey(entry)).length === 0) return;
    if ((await queued(terminalKey(entry))) >= limits.commands) return acted.add('commands');
    const payload = Buffer.from(JSON.stringify(command));
    aedes.publish({ cmd: 'publish', topic: commandTopic(entry), payload, qos: 1, retain: false, dup: false }, () => {});
  }

  /** Commands that a terminal's session still has to acknowledge. */
  async function queued(id: string): Promise<number> {
    let count = 0;
    for await (const _ of outgoing(id)) count += 1;
    return count;
  }

  return {
    take(entry, live) {
      if (entry.kind === 'revocation') revoke(entry.user, entry.at);
      else if (entry.kind === 'keys') void reloadKeys();
      else if (live) sending = sending.then(() => send(entry));
    },
    list(certificates) {
      revocations.list(certificates);
      sessions.end((proof) => 'certificates' in proof && revocations.isListed(proof.certificates));
    },
  };
}
