/** Where the broker listens: ports with and without TLS, for MQTT and for WebSocket. */
import { once } from 'node:events';
import { type AddressInfo, type BlockList, createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Server as TlsServer } from 'node:tls';
import { BrokerError } from '../errors.ts';
import type { ConnectionProblem } from '../refusals.ts';
import type { Refuse, Stage } from './arrival.ts';
import type { ClientCertificate } from './certificate.ts';
import { createConnections } from './connections.ts';
import { proxyStage, tlsStage } from './stages.ts';
import { type Material, openTls, type Tls, type TlsFiles } from './tls.ts';
import { webSocketStage } from './websocket.ts';

/** mqtts and wss need TLS files. */
export type Scheme = 'mqtt' | 'mqtts' | 'ws' | 'wss';

export interface ListenAddress {
  scheme: Scheme;
  host: string;
  /** 0 for any free one. */
  port: number;
}

export interface ListenOptions {
  listeners: readonly ListenAddress[];
  tls?: TlsFiles | undefined;
  /** Balancers: what comes from them begins with a PROXY header. */
  proxies?: BlockList | undefined;
  /** Over all listeners. */
  maxConnections: number;
  /** `stream`: what MQTT is spoken over; nothing of it was read. */
  onConnection(stream: Duplex, certificate: ClientCertificate | undefined): void;
  /** Told of connections that came to nothing. */
  onRefused(reason: ConnectionProblem, detail: string): void;
  /** Told of the certificates on the revocation lists, as `ClientCertificate` names them: at the start, and when the lists are read again. */
  onRevoked(certificates: ReadonlySet<string>): void;
  say(line: string): void;
}

export interface Listeners {
  /** In the order of the options, with the ports that were had. */
  readonly addresses: ListenAddress[];
  /** To be called each second. */
  tick(): void;
  /** Reads the TLS files again. */
  reload(): Promise<void>;
  stopListening(): void;
  /** Sends what is still to be sent, says good-bye, and after `graceMs` ends those that do not answer it. */
  endConnections(graceMs: number): Promise<void>;
}

/** Errors: BrokerError where an address cannot be had or a TLS file cannot be used. */
export async function listen(options: ListenOptions): Promise<Listeners> {
  const { listeners, proxies, maxConnections, onRefused, onConnection, onRevoked, say } = options;
  const tlsServers: TlsServer[] = [];
  const apply = ({ context, revoked }: Material) => {
    for (const server of tlsServers) server.setSecureContext(context);
    onRevoked(revoked);
  };
  const tls = options.tls && (await openTls({ files: options.tls, apply, say }));
  if (tls) onRevoked(tls.material.revoked);
  const refuse: Refuse = (reason, { address }, detail) => onRefused(reason, `${detail} from ${address}`);
  const connections = createConnections({ max: maxConnections, refuse, onConnection });
  const servers: Server[] = [];
  const stopListening = () => {
    for (const server of servers) server.close();
  };
  try {
    for (const address of listeners) {
      const first = stagesOf(address.scheme, { tls, tlsServers, proxies, refuse, handOver: connections.handOver });
      const server = createServer({ noDelay: true }, (socket) => connections.accept(socket, first));
      await bind(server, address);
      servers.push(server);
    }
  } catch (error) {
    stopListening();
    throw error;
  }
  return {
    addresses: listeners.map((address, i) => ({ ...address, port: (servers[i]!.address() as AddressInfo).port })),
    tick: () => {
      connections.tick();
      void tls?.check();
    },
    reload: async () => tls?.reload(),
    stopListening,
    endConnections: connections.end,
  };
}

interface Stages {
  tls: Tls | undefined;
  tlsServers: TlsServer[];
  proxies: BlockList | undefined;
  refuse: Refuse;
  handOver: Stage<Duplex>;
}

/** The first of the stages that a connection to such a listener goes through. */
function stagesOf(scheme: Scheme, { tls, tlsServers, proxies, refuse, handOver }: Stages): Stage {
  let first: Stage = scheme === 'ws' || scheme === 'wss' ? webSocketStage(refuse, handOver) : handOver;
  if (scheme === 'mqtts' || scheme === 'wss') {
    if (!tls) throw new BrokerError('tls_files', `none are given, and ${scheme} needs them`);
    const { server, stage } = tlsStage(tls, refuse, first);
    tlsServers.push(server);
    first = stage;
  }
  return proxies ? proxyStage(proxies, refuse, first) : first;
}

/** Connections that wait to be accepted. Those beyond it try again by themselves, up to half a minute later; the system may allow fewer. */
const BACKLOG = 8_192;

async function bind(server: Server, { scheme, host, port }: ListenAddress): Promise<void> {
  try {
    server.listen({ port, host, backlog: BACKLOG });
    await once(server, 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const detail = `TILLWATCH_${scheme.toUpperCase()}_LISTEN, ${host}:${port}`;
    throw code === 'EADDRINUSE'
      ? new BrokerError('address_taken', detail, { cause: error })
      : new BrokerError('address_unusable', `${detail}: ${message}`, { cause: error });
  }
}
