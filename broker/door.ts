/** Log-in: Aedes' `preConnect`, which may still rename the client, decides; `authenticate`, which may choose the CONNACK, answers. */
import type { AedesOptions, AuthenticateError, Client } from 'aedes';
import type { IConnectPacket } from 'mqtt-packet';
import { parseUser } from '../backbone/credentials/users.ts';
import type { FailedLogins } from './limits/failed-logins.ts';
import type { Waiting } from './limits/gate.ts';
import type { ClientCertificate } from './listeners/certificate.ts';
import { decideLogin, isGuess, type LoginContext, type LoginVerdict, refuse } from './login.ts';
import type { Refusals } from './refusals.ts';
import type { Sessions } from './sessions.ts';

type Door = Required<Pick<AedesOptions, 'preConnect' | 'authenticate'>>;

export interface DoorOptions {
  context(): LoginContext;
  /** Reads the keys again. Never rejects. */
  reloadKeys(): Promise<void>;
  certificates: Certificates;
  sessions: Sessions;
  refusals: Refusals;
  failedLogins: FailedLogins;
  /** Lets a CONNECT in when it is its turn. */
  gate(next: Waiting): void;
}

/** Contract: 5–1 200 s. One that asks for none at all could be dead for ever and look alive. */
const MIN_KEEPALIVE_SECONDS = 5;
const MAX_KEEPALIVE_SECONDS = 1_200;

/** `certificates`: those that clients showed, by their connections. */
export type Certificates = WeakMap<object, ClientCertificate>;

export function createDoor({ context, reloadKeys, certificates, sessions, refusals, failedLogins, gate }: DoorOptions): Door {
  const refused = new WeakMap<Client, AuthenticateError>();
  let refusedCount = 0;

  function answer(client: Client, packet: IConnectPacket, verdict: LoginVerdict): void {
    const keepaliveSeconds = boundKeepalive(packet.keepalive);
    // The front watches over it: Aedes does not see all that a client sends.
    packet.keepalive = 0;
    if (verdict.ok) {
      packet.clientId = verdict.clientId;
      // A session that outlives its connection would gather the whole fleet's messages in memory.
      if (verdict.user.kind === 'noc') packet.clean = true;
      sessions.admit(client, verdict.user, verdict.proof, keepaliveSeconds);
    } else {
      const address = addressOf(client);
      const certificate = certificates.get(client.conn);
      const detail = `client id ${packet.clientId}${address ? ` from ${address}` : ''}${why(certificate)}`;
      refusals.add(verdict.reason, packet.username ?? userOf(certificate), detail);
      refused.set(client, Object.assign(new Error(verdict.reason), { returnCode: verdict.returnCode }));
      forgetIdentity(packet, ++refusedCount);
    }
  }

  function decide(client: Client, packet: IConnectPacket): LoginVerdict {
    return decideLogin(packet, context(), { certificate: certificates.get(client.conn) });
  }

  async function decideAgain(client: Client, packet: IConnectPacket): Promise<LoginVerdict> {
    await reloadKeys();
    return decide(client, packet);
  }

  function enter(client: Client, packet: IConnectPacket, verdict: LoginVerdict, callback: () => void): void {
    if (client.closed) return;
    const { username } = packet;
    if (isGuess(verdict)) failedLogins.failed(username && parseUser(username) ? username : undefined, addressOf(client));
    answer(client, packet, verdict);
    callback();
  }

  return {
    preConnect(client, packet, callback) {
      const blocked = failedLogins.blocked(packet.username ?? '', addressOf(client));
      if (blocked) {
        // Before the gate: who storms in vain takes nobody's turn.
        answer(client, packet, refuse(blocked));
        return callback(null, true);
      }
      gate({
        gone: () => client.closed,
        enter() {
          const letIn = (verdict: LoginVerdict) => enter(client, packet, verdict, () => callback(null, true));
          const verdict = decide(client, packet);
          if (verdict.ok || verdict.reason !== 'unknown_key') letIn(verdict);
          else void decideAgain(client, packet).then(letIn);
        },
      });
    },
    authenticate(client, _username, _password, done) {
      const error = refused.get(client);
      done(error ?? null, error === undefined);
    },
  };
}

/** Aedes clears what it keeps for a client id also after a refused log-in: it must not be that of a terminal. */
function forgetIdentity(packet: IConnectPacket, number: number): void {
  packet.clientId = `refused/${number}`;
  packet.clean = true;
  delete packet.will;
}

function boundKeepalive(seconds = 0): number {
  return seconds === 0 ? MAX_KEEPALIVE_SECONDS : Math.min(Math.max(seconds, MIN_KEEPALIVE_SECONDS), MAX_KEEPALIVE_SECONDS);
}

/** As whom a client shows itself, where no user name says it. */
function userOf(certificate: ClientCertificate | undefined): string {
  return certificate?.ok ? certificate.user : '';
}

function why(certificate: ClientCertificate | undefined): string {
  return certificate?.ok === false ? `: ${certificate.detail}` : '';
}

function addressOf({ conn }: Client): string | undefined {
  return 'remoteAddress' in conn ? (conn.remoteAddress as string | undefined) : undefined;
}
