/** Whether a CONNECT may come in, decided from values alone. */
import type { IConnectPacket } from 'mqtt-packet';
import { type KeyRing, verifyToken } from '../backbone/credentials/tokens.ts';
import { parseUser, type User } from '../backbone/credentials/users.ts';
import { topicOf } from '../protocol/topics.ts';
import type { ClientCertificate } from './listeners/certificate.ts';
import type { LoginProblem } from './refusals.ts';
import type { Proof } from './sessions.ts';

/** What the broker knows as the CONNECT comes. */
export interface LoginContext {
  keys: KeyRing;
  /** The time up to which a user's tokens are refused. */
  revokedAt(user: string): number | undefined;
  /** Whether one of these certificates is on a revocation list. */
  isListed(certificates: readonly string[]): boolean;
  /** Whether revocations are known to be current. */
  following: boolean;
  /** Whether the log takes what is appended. */
  logWorks: boolean;
  maxWillBytes: number;
  now: number;
}

/** What it knows of the connection. */
export interface LoginPeer {
  /** Undefined where the client showed none: a token is what it logs in by. */
  certificate: ClientCertificate | undefined;
}

/** `clientId`: the broker's own name of the session, which no other user's can equal. */
export type LoginVerdict =
  | { ok: true; user: User; proof: Proof; clientId: string }
  | { ok: false; reason: LoginProblem; returnCode: 2 | 3 | 4 | 5 };

/** Longest name that a session has inside the broker: `noc:` and a name, a slash, a client id. */
export const MAX_CLIENT_ID_CHARACTERS = 4 + 64 + 1 + 64;

/** CONNACK codes of MQTT 3.1.1, table 3.1. */
const RETURN_CODES: Record<LoginProblem, 2 | 3 | 4 | 5> = {
  foreign_client_id: 2,
  control_unavailable: 3,
  failing_address: 3,
  failing_identity: 3,
  log_unavailable: 3,
  no_credentials: 4,
  malformed_user: 4,
  malformed: 4,
  bad_certificate: 4,
  foreign_user: 4,
  unknown_key: 4,
  bad_signature: 4,
  expired: 5,
  revoked: 5,
  bad_will: 5,
  long_will: 5,
  protocol_version: 5,
};

const NOC_CLIENT_ID_PATTERN = /^[!-~]{1,64}$/;
/** Aedes itself answers another one, with CONNACK 1. */
const SUPPORTED_VERSIONS: (number | undefined)[] = [3, 4];

export function decideLogin(connect: IConnectPacket, context: LoginContext, { certificate }: LoginPeer): LoginVerdict {
  if (!SUPPORTED_VERSIONS.includes(connect.protocolVersion)) return refuse('protocol_version');
  const credentials = certificate ? checkCertificate(connect, context, certificate) : checkToken(connect, context);
  if (!credentials.ok) return refuse(credentials.reason);
  const { user, proof } = credentials;
  const problem = sessionProblem(connect, user, context);
  return problem ? refuse(problem) : { ok: true, user, proof, clientId: sessionName(connect, user) };
}

/** Whether a log-in was refused because its token is not one that we signed: an expired or a revoked one is no guess. */
export function isGuess(verdict: LoginVerdict): boolean {
  return !verdict.ok && verdict.returnCode === 4;
}

export function refuse(reason: LoginProblem): LoginVerdict {
  return { ok: false, reason, returnCode: RETURN_CODES[reason] };
}

type Credentials = { ok: true; user: User; proof: Proof } | { ok: false; reason: LoginProblem };

function checkToken({ username, password }: IConnectPacket, { keys, revokedAt, now }: LoginContext): Credentials {
  if (username === undefined || password === undefined) return { ok: false, reason: 'no_credentials' };
  const user = parseUser(username);
  if (!user) return { ok: false, reason: 'malformed_user' };
  const token = verifyToken(keys, username, password.toString('latin1'), now);
  if (!token.ok) return token;
  const { issued, keyId } = token;
  return issued > (revokedAt(username) ?? -1) ? { ok: true, user, proof: { issued, keyId } } : { ok: false, reason: 'revoked' };
}

/** It stands for both user name and password: a password beside it says nothing, and the user name nothing else. */
function checkCertificate(
  { username }: IConnectPacket,
  { revokedAt, isListed, now }: LoginContext,
  certificate: ClientCertificate,
): Credentials {
  if (!certificate.ok) return { ok: false, reason: certificate.reason };
  const user = parseUser(certificate.user);
  if (user?.kind !== 'terminal') return { ok: false, reason: 'bad_certificate' };
  if (username !== undefined && username !== user.user) return { ok: false, reason: 'foreign_user' };
  // TLS judged it when the session began; one that is resumed is not judged again, nor by a list that came meanwhile.
  if (now > certificate.expires) return { ok: false, reason: 'expired' };
  const { issued, names: certificates } = certificate;
  const isRevoked = isListed(certificates) || issued <= (revokedAt(user.user) ?? -1);
  return isRevoked ? { ok: false, reason: 'revoked' } : { ok: true, user, proof: { issued, certificates } };
}

function sessionProblem({ clientId, will }: IConnectPacket, user: User, context: LoginContext): LoginProblem | undefined {
  const { following, logWorks, maxWillBytes } = context;
  if (!isOwnClientId(clientId, user)) return 'foreign_client_id';
  if (!isAllowedWill(will, user)) return 'bad_will';
  if (will && will.payload.length > maxWillBytes) return 'long_will';
  if (!following) return 'control_unavailable';
  return logWorks ? undefined : 'log_unavailable';
}

function isOwnClientId(clientId: string, user: User): boolean {
  return user.kind === 'terminal' ? clientId === user.sn : NOC_CLIENT_ID_PATTERN.test(clientId);
}

/** A Will speaks for its own terminal, on `state`, with QoS 1. */
function isAllowedWill(will: IConnectPacket['will'], user: User): boolean {
  if (!will) return true;
  return user.kind === 'terminal' && will.qos === 1 && will.topic === topicOf({ ...user, channel: 'state' });
}

function sessionName({ clientId }: IConnectPacket, user: User): string {
  return user.kind === 'terminal' ? user.user : `${user.user}/${clientId}`;
}
