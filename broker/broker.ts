/** A broker: it takes what terminals send into its log, acknowledges what is durable there, and passes commands on. */
import type { EventEmitter } from 'node:events';
import type { Aedes, Client } from 'aedes';
import type { LogStats } from '../backbone/log.ts';
import { encodeRecord } from '../protocol/record.ts';
import type { UpChannel } from '../protocol/topics.ts';
import { systemClock } from './clock.ts';
import { BrokerError } from './errors.ts';
import { connectionProblem } from './failures.ts';
import { limitsActed } from './limits/acted.ts';
import type { LimitName } from './limits/table.ts';
import { type ListenAddress, type Listeners, listen } from './listeners/listeners.ts';
import { type BrokerOptions, createParts, type Parts } from './parts.ts';
import type { RefusalReason } from './refusals.ts';

export interface BrokerStats {
  connections: number;
  /** Messages that became durable. */
  published: Record<UpChannel, number>;
  /** Messages whose PUBACK waits for the log. */
  pendingAppends: number;
  /** Messages that the log did not take. */
  failedAppends: number;
  refusals: Partial<Record<RefusalReason, number>>;
  /** Refusals beyond what a second may list. */
  refusalsUnlisted: number;
  /** How often each limit acted. */
  limits: Record<LimitName, number>;
  /** Messages that wait for a place among those on their way to subscribers. */
  forwardsQueued: number;
  /** Since the control log was last read to its end. */
  controlLagMs: number;
  log: LogStats;
}

export interface Broker {
  /** Where it listens, in the order of the options. */
  readonly addresses: ListenAddress[];
  stats(): BrokerStats;
  /** Reads the TLS files again. What cannot be used is said, and changes nothing. */
  reload(): Promise<void>;
  /** Takes no more, acknowledges what became durable, ends all connections without Wills. The log stays open: it is its owner's. */
  stop(): Promise<void>;
}

const NODE_PATTERN = /^[A-Za-z0-9._-]{1,64}$/;
/** Of heartbeats, and of the front's ticks. */
const BEAT_MS = 1_000;
/** How long a client may take to close its side when the broker stops. */
const STOP_GRACE_MS = 1_000;

/** Errors: BrokerError, KeyError, or LogError where the logs cannot be read or written. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { log, clock = systemClock } = options;
  if (!NODE_PATTERN.test(options.node)) throw new BrokerError('node_name', options.node);
  const parts = await createParts(options, clock);
  const { aedes, intake, follower, front, keyring, heartbeat, tellLimits } = parts;
  await follower.start();
  let listeners: Listeners;
  try {
    await log.append([encodeRecord(heartbeat())]);
    await aedes.listen();
    tellLimits();
    listeners = await openListeners(options, parts);
  } catch (error) {
    follower.stop();
    await closeAedes(aedes);
    throw error;
  }
  const stopBeating = clock.every(BEAT_MS, () => {
    void intake.beat(heartbeat());
    void follower.check();
    void keyring.check();
    front.tick();
    listeners.tick();
    tellLimits();
  });
  let stopped: Promise<void> | undefined;
  return {
    addresses: listeners.addresses,
    stats: () => readStats(parts, log),
    reload: listeners.reload,
    stop: () => {
      stopped ??= stop(parts, listeners, stopBeating);
      return stopped;
    },
  };
}

function openListeners(options: BrokerOptions, parts: Parts): Promise<Listeners> {
  const { listeners, tls, proxies, say } = options;
  const { aedes, refusals, sessions, front, certificates, limits, orders } = parts;
  const maxConnections = limits.connections || Number.MAX_SAFE_INTEGER;
  const connectionFailed = (client: Client, error: Error) => {
    const session = sessions.of(client);
    const reason = connectionProblem(error);
    if (reason && !session?.ended) refusals.add(reason, session?.user.user ?? '', error.message);
  };
  aedes.on('clientError', connectionFailed);
  aedes.on('connectionError', connectionFailed);
  const events: EventEmitter = aedes;
  events.on('error', (error: Error) => say(`the broker goes on after an error of its own: ${error.message}`));
  return listen({
    listeners,
    tls,
    proxies,
    maxConnections,
    onConnection: (stream, certificate) => {
      if (certificate) certificates.set(stream, certificate);
      front.open(stream);
    },
    onRefused: (reason, detail) => refusals.add(reason, '', detail),
    onRevoked: orders.list,
    say,
  });
}

function readStats(parts: Parts, log: { stats: LogStats }): BrokerStats {
  const { aedes, intake, sessions, refusals, publishing, follower } = parts;
  return {
    connections: sessions.count(),
    published: publishing.counts(),
    pendingAppends: intake.pending(),
    failedAppends: intake.failures(),
    refusals: refusals.counts(),
    refusalsUnlisted: refusals.unlisted(),
    limits: limitsActed(parts),
    forwardsQueued: (aedes as Aedes & { mq: { length: number } }).mq.length,
    controlLagMs: follower.lagMs(),
    log: { ...log.stats },
  };
}

async function stop(
  { aedes, intake, publishing, follower, heartbeat }: Parts,
  listeners: Listeners,
  stopBeating: () => void,
): Promise<void> {
  listeners.stopListening();
  stopBeating();
  publishing.hold();
  await intake.drained();
  await listeners.endConnections(STOP_GRACE_MS);
  await closeAedes(aedes);
  follower.stop();
  await intake.beat(heartbeat());
}

function closeAedes(aedes: Aedes): Promise<void> {
  return new Promise((resolve) => aedes.close(() => resolve()));
}
