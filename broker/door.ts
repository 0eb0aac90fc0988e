/** Log-in: Aedes' `preConnect`, which may still rename the client, decides; `authenticate`, which may choose the CONNACK, answers. */
import type { AedesOptions, AuthenticateError, Client } from 'aedes';
import type { IConnectPacket } from 'mqtt-packet';
import type { ClientCertificate } from './listeners/certificate.ts';
import { decideLogin, type LoginContext } from './login.ts';
import type { Refusals } from './refusals.ts';
import type { Sessions } from './sessions.ts';

type Door = Required<Pick<AedesOptions, 'preConnect' | 'authenticate'>>;

/** Contract: 5–1 200 s. One that asks for none at all could be dead for ever and look alive. */
const MIN_KEEPALIVE_SECONDS = 5;
const MAX_KEEPALIVE_SECONDS = 1_200;

/** `certificates`: those that clients showed, by their connections. */
export type Certificates = WeakMap<object, ClientCertificate>;

export function createDoor(context: () => LoginContext, certificates: Certificates, sessions: Sessions, refusals: Refusals): Door {
  const refused = new WeakMap<Client, AuthenticateError>();
  let refusedCount = 0;

  return {
    preConnect(client, packet, callback) {
      const certificate = certificates.get(client.conn);
      const verdict = decideLogin(packet, context(), { certificate });
      const keepaliveSeconds = boundKeepalive(packet.keepalive);
      // The front watches over it: Aedes does not see all that a client sends.
      packet.keepalive = 0;
      if (verdict.ok) {
        packet.clientId = verdict.clientId;
        // A session that outlives its connection would gather the whole fleet's messages in memory.
        if (verdict.user.kind === 'noc') packet.clean = true;
        sessions.admit(client, verdict.user, verdict.issued, keepaliveSeconds);
      } else {
        refusals.add(
          verdict.reason,
          packet.username ?? userOf(certificate),
          `client id ${packet.clientId}${where(client)}${why(certificate)}`,
        );
        refused.set(client, Object.assign(new Error(verdict.reason), { returnCode: verdict.returnCode }));
        forgetIdentity(packet, ++refusedCount);
      }
      callback(null, true);
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

function where({ conn }: Client): string {
  return 'remoteAddress' in conn && conn.remoteAddress ? ` from ${conn.remoteAddress}` : '';
}
