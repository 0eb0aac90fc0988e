/** The parts of a broker, put together; nothing of them runs yet. */
import { randomBytes, randomUUID } from 'node:crypto';
import { Aedes } from 'aedes';
import { loadOrCreateKeys } from '../backbone/credentials/keys.ts';
import type { LogReader, LogWriter } from '../backbone/log.ts';
import type { HeartbeatEntry } from '../protocol/entries.ts';
import type { BrokerClock } from './clock.ts';
import { type ControlFollower, followControl } from './control.ts';
import { type Certificates, createDoor } from './door.ts';
import { createAudience } from './front/audience.ts';
import { createFront, type Front } from './front/front.ts';
import { createIntake, type Intake } from './intake.ts';
import { createKeyring, type Keyring } from './keyring.ts';
import { type Acted, createActed, limitsActed } from './limits/acted.ts';
import { rateOf } from './limits/bucket.ts';
import { createFailedLogins } from './limits/failed-logins.ts';
import { createGate } from './limits/gate.ts';
import { type LimitValues, limitValues } from './limits/table.ts';
import { createLimitTopics } from './limits/topics.ts';
import type { ListenOptions } from './listeners/listeners.ts';
import { MAX_CLIENT_ID_CHARACTERS } from './login.ts';
import { createOrders, type Orders } from './orders.ts';
import { createPersistence } from './persistence.ts';
import { createPublishing, type Publishing } from './publishing.ts';
import { createRefusals, type Refusals } from './refusals.ts';
import { createRevocations } from './revocations.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { watchSteps } from './steps.ts';
import { createSubscribing } from './subscribing.ts';

export interface BrokerOptions extends Pick<ListenOptions, 'listeners' | 'tls' | 'proxies'> {
  /** This broker's name in all that it appends: 1 to 64 letters, digits, dots, dashes, underscores. */
  node: string;
  log: LogWriter;
  control: LogReader;
  /** Path of the key ring; made where there is none. */
  keysFile: string;
  /** Where they differ from limits/table.ts. */
  limits?: Partial<LimitValues>;
  /** Told, in whole lines for people, when the broker stops or starts again to accept something. */
  say(line: string): void;
  clock?: BrokerClock;
}

export interface Parts {
  limits: LimitValues;
  acted: Acted;
  aedes: Aedes;
  intake: Intake;
  sessions: Sessions;
  refusals: Refusals;
  publishing: Publishing;
  keyring: Keyring;
  orders: Orders;
  follower: ControlFollower;
  front: Front;
  certificates: Certificates;
  heartbeat(): HeartbeatEntry;
  /** Tells monitoring tools which limits acted. */
  tellLimits(): void;
}

/**
 * Messages on their way to subscribers at once. It holds all that `tool_backlog_bytes` lets wait for a slow one:
 * at less, that one would hold up the rest.
 */
const FORWARD_CONCURRENCY = 10_000;

function aedesLimits(limits: LimitValues) {
  return {
    concurrency: FORWARD_CONCURRENCY,
    connectTimeout: 1_000 * limits.connect_seconds,
    drainTimeout: 1_000 * limits.drain_seconds,
    maxInflightInbound: limits.unreleased,
    maxTopicLevels: limits.topic_levels,
    maxClientsIdLength: MAX_CLIENT_ID_CHARACTERS,
  };
}

const MINUTE_MS = 60_000;

export async function createParts(options: BrokerOptions, clock: BrokerClock): Promise<Parts> {
  const { node, log, control, keysFile, say } = options;
  const limits = limitValues(options.limits);
  const { now, uptime } = clock;
  const boot = randomUUID();
  const keys = await loadOrCreateKeys(keysFile, randomBytes, now);
  const intake = createIntake({ log, say, uptime, limits });
  const heartbeat = (): HeartbeatEntry => ({ kind: 'heartbeat', at: now(), node, boot, uptime: Math.round(uptime()) });
  const stamp = watchSteps(clock, () => intake.note(heartbeat()));
  const sessions = createSessions();
  const revocations = createRevocations();
  const keyring = createKeyring({
    file: keysFile,
    keys,
    retired: (ids) => sessions.end((proof) => 'keyId' in proof && ids.has(proof.keyId)),
    say,
  });
  const refusals = createRefusals(node, stamp, intake.note);
  const acted = createActed();
  const failedLogins = createFailedLogins({
    perAddress: rateOf(limits.address_failures, MINUTE_MS),
    perIdentity: rateOf(limits.identity_failures, MINUTE_MS),
    uptime,
  });
  const gate = createGate(rateOf(limits.connects, 1_000), clock, () => acted.add('connects'));
  const publishing = createPublishing({ node, now: stamp, intake, sessions, refusals, limits, acted });
  const audience = createAudience(limits.subscriptions);
  const subscribing = createSubscribing({ sessions, refusals, audience, limits, acted });
  const loginContext = () => ({
    keys: keyring.current(),
    revokedAt: revocations.revokedAt,
    isListed: revocations.isListed,
    following: follower.following(),
    logWorks: intake.works(),
    maxWillBytes: limits.will_bytes,
    now: now(),
  });
  const { authorizePublish } = publishing;
  const { authorizeSubscribe, authorizeForward } = subscribing;
  const certificates: Certificates = new WeakMap();
  const door = createDoor({ context: loginContext, reloadKeys: keyring.reload, certificates, sessions, refusals, failedLogins, gate });
  const persistence = createPersistence(limits.unreleased);
  const authorize = { authorizePublish, authorizeSubscribe, authorizeForward };
  const aedes = new Aedes({ ...aedesLimits(limits), id: node, persistence, ...door, ...authorize });
  const tellLimits = createLimitTopics({ aedes, node, limits, acted: () => limitsActed({ acted, refusals }) });
  const front = createFront({ aedes, node, now: stamp, uptime, limits, acted, intake, publishing, sessions, audience });
  const outgoing = (id: string) => persistence.outgoingStream({ id });
  const orders = createOrders({ aedes, outgoing, now, limits, acted, revocations, sessions, reloadKeys: keyring.reload });
  const follower = followControl({ reader: control, uptime, take: orders.take, say });
  const own = { limits, acted, aedes, intake, sessions, refusals, publishing, keyring, orders, follower, front, certificates };
  return { ...own, heartbeat, tellLimits };
}
