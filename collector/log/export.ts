/** Both logs as the one sequence of entries that the watch folds: what a replay file holds. */
import type { LogReader } from '../../backbone/log.ts';
import type { OwnerEntry } from '../../protocol/entries.ts';
import { noteHeartbeat, notePlatformEntry, type Pulse } from '../owner/pulse.ts';
import { type BrokerEntry, decodeBrokerRecord, type ReceivedMessage } from './entries.ts';
import { Follower } from './follower.ts';

/** An entry that is a line of the replay format. */
export type Exported = OwnerEntry | ReceivedMessage;

/**
 * Everything that the logs still hold. What the owner has not come to follows at the end, with what it will say of our own absences
 * before it, so that a replay blames no terminal for them. Errors: LogError.
 */
export async function* exportEntries(brokersLog: LogReader, ownerLog: LogReader): AsyncGenerator<Exported> {
  const start = { brokers: { batch: await brokersLog.first(), index: 0 }, owner: { batch: await ownerLog.first(), index: 0 } };
  const logs = new Follower(brokersLog, ownerLog, start);
  const pulse: Pulse = {};
  let now = 0;
  for (let item = await logs.next(); item; item = await logs.next()) {
    const { entry } = item;
    if (entry.kind === 'heartbeat') noteHeartbeat(pulse, entry, now);
    if (entry.kind === 'platform') notePlatformEntry(pulse, entry);
    now = Math.max(now, entry.at);
    if (isExported(entry)) yield entry;
  }
  for (let bytes = await logs.brokers.peek(); bytes; bytes = await logs.brokers.peek()) {
    const entry = decodeBrokerRecord(bytes);
    if (entry.kind === 'heartbeat') yield* noteHeartbeat(pulse, entry, now);
    now = Math.max(now, entry.at);
    if (isExported(entry)) yield entry;
    logs.brokers.advance();
  }
}

function isExported(entry: BrokerEntry | OwnerEntry): entry is Exported {
  return entry.kind !== 'heartbeat' && entry.kind !== 'refusal';
}

export interface Selection {
  /** Epoch milliseconds, both included. */
  from: number;
  to: number;
  acquirer?: string | undefined;
  sn?: string | undefined;
}

/** Whether an entry is of that time, and not of another acquirer or terminal. What is nobody's own (ticks, rules, absences) is everybody's. */
export function isSelected(entry: Exported, { from, to, acquirer, sn }: Selection): boolean {
  if (entry.at < from || entry.at > to) return false;
  const { acquirer: owner, sn: serial, old_sn, new_sn } = ownOf(entry);
  if (acquirer !== undefined && owner !== undefined && owner !== acquirer) return false;
  const serials = [serial, old_sn, new_sn].filter((one) => one !== undefined);
  return sn === undefined || serials.length === 0 || serials.includes(sn);
}

/** The members that say whose an entry is. */
function ownOf(entry: Exported): { acquirer?: string; sn?: string; old_sn?: string; new_sn?: string } {
  if (entry.kind === 'message' || entry.kind === 'command') return entry;
  return entry.kind === 'registry' ? (entry.change.row as ReturnType<typeof ownOf>) : {};
}
