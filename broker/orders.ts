/** What the control log tells a broker to do. */
import type { Aedes } from 'aedes';
import type { ControlEntry } from '../protocol/control.ts';
import { terminalKey } from '../protocol/topics.ts';
import { commandTopic } from './access.ts';
import type { Revocations } from './revocations.ts';
import type { Sessions } from './sessions.ts';

export interface OrdersOptions {
  aedes: Pick<Aedes, 'publish'>;
  now: () => number;
  revocations: Revocations;
  sessions: Sessions;
  reloadKeys(): void;
}

type Command = Extract<ControlEntry, { kind: 'command' }>;

/** Carries out entries. `live`: appended since this broker follows the log; older commands were another's to send. */
export function createOrders({
  aedes,
  now,
  revocations,
  sessions,
  reloadKeys,
}: OrdersOptions): (entry: ControlEntry, live: boolean) => void {
  function revoke(user: string, at: number): void {
    revocations.add(user, at);
    for (const session of sessions.open(user)) {
      if (session.issued > at) continue;
      session.ended = 'ours';
      session.client.close();
    }
  }

  function send(entry: Command): void {
    const { command } = entry;
    const expired = command.expires !== undefined && command.expires <= now();
    if (expired || sessions.open(terminalKey(entry)).length === 0) return;
    const payload = Buffer.from(JSON.stringify(command));
    aedes.publish({ cmd: 'publish', topic: commandTopic(entry), payload, qos: 1, retain: false, dup: false }, () => {});
  }

  return (entry, live) => {
    if (entry.kind === 'revocation') revoke(entry.user, entry.at);
    else if (entry.kind === 'keys') reloadKeys();
    else if (live) send(entry);
  };
}
