/** The parts of a broker, put together; nothing of them runs yet. */
import { randomBytes, randomUUID } from 'node:crypto';
import { Aedes } from 'aedes';
import { loadKeys, loadOrCreateKeys } from '../backbone/credentials/keys.ts';
import type { LogReader, LogWriter } from '../backbone/log.ts';
import type { HeartbeatEntry } from '../protocol/entries.ts';
import type { BrokerClock } from './clock.ts';
import { type ControlFollower, followControl } from './control.ts';
import { type Certificates, createDoor } from './door.ts';
import { createAudience } from './front/audience.ts';
import { createFront, type Front } from './front/front.ts';
import { createIntake, type Intake } from './intake.ts';
import type { ListenOptions } from './listeners/listeners.ts';
import { MAX_CLIENT_ID_CHARACTERS } from './login.ts';
import { createOrders } from './orders.ts';
import { createPublishing, type Publishing } from './publishing.ts';
import { createRefusals, type Refusals } from './refusals.ts';
import { createRevocations } from './revocations.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createSubscribing, type Subscribing } from './subscribing.ts';

export interface BrokerOptions extends Pick<ListenOptions, 'listeners' | 'tls' | 'proxies'> {
  /** This broker's name in all that it appends: 1 to 64 letters, digits, dots, dashes, underscores. */
  node: string;
  log: LogWriter;
  control: LogReader;
  /** Path of the key ring; made where there is none. */
  keysFile: string;
  maxConnections?: number;
  /** Told, in whole lines for people, when the broker stops or starts again to accept something. */
  say(line: string): void;
  clock?: BrokerClock;
}

export interface Parts {
  aedes: Aedes;
  intake: Intake;
  sessions: Sessions;
  refusals: Refusals;
  publishing: Publishing;
  subscribing: Subscribing;
  follower: ControlFollower;
  front: Front;
  certificates: Certificates;
  heartbeat(): HeartbeatEntry;
}

/**
 * Messages on their way to subscribers at once. It holds all that MAX_BACKLOG_BYTES (subscribing.ts) lets wait for a slow one:
 * at less, that one would hold up the rest.
 */
const FORWARD_CONCURRENCY = 10_000;

const LIMITS = {
  concurrency: FORWARD_CONCURRENCY,
  connectTimeout: 10_000,
  drainTimeout: 10_000,
  /** Packets that come before the CONNACK. */
  queueLimit: 100,
  /** QoS 2 messages of one client before their PUBREL. */
  maxInflightInbound: 100,
  maxTopicLevels: 10,
  maxClientsIdLength: MAX_CLIENT_ID_CHARACTERS,
};

export async function createParts({ node, log, control, keysFile, say }: BrokerOptions, clock: BrokerClock): Promise<Parts> {
  const { now, uptime } = clock;
  const boot = randomUUID();
  let keys = await loadOrCreateKeys(keysFile, randomBytes, now);
  const reloadKeys = () => {
    loadKeys(keysFile).then(
      (loaded) => {
        keys = loaded;
      },
      (error: Error) => say(`${error.message}: the keys known before are used on`),
    );
  };
  const intake = createIntake(log, say);
  const sessions = createSessions();
  const revocations = createRevocations();
  const refusals = createRefusals(node, now, intake.note);
  const publishing = createPublishing({ node, now, intake, sessions, refusals });
  const audience = createAudience();
  const subscribing = createSubscribing(sessions, refusals, audience);
  const loginContext = () => ({
    keys,
    revokedAt: revocations.revokedAt,
    following: follower.following(),
    logWorks: intake.works(),
    now: now(),
  });
  const { authorizePublish } = publishing;
  const { authorizeSubscribe, authorizeForward } = subscribing;
  const certificates: Certificates = new WeakMap();
  const door = createDoor(loginContext, certificates, sessions, refusals);
  const aedes = new Aedes({ ...LIMITS, id: node, ...door, authorizePublish, authorizeSubscribe, authorizeForward });
  const front = createFront({ aedes, node, now, intake, publishing, sessions, audience });
  const take = createOrders({ aedes, now, revocations, sessions, reloadKeys });
  const follower = followControl({ reader: control, uptime, take, say });
  const heartbeat = (): HeartbeatEntry => ({ kind: 'heartbeat', at: now(), node, boot, uptime: Math.round(uptime()) });
  return { aedes, intake, sessions, refusals, publishing, subscribing, follower, front, certificates, heartbeat };
}
