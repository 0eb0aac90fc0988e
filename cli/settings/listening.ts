/** The settings of where the broker listens, and of who may connect how. */
import { BlockList, isIPv4 } from 'node:net';
import type { ListenAddress, Scheme } from '../../broker/listeners/listeners.ts';
import type { TlsFiles } from '../../broker/listeners/tls.ts';
import { type Address, shownAddress } from '../address.ts';
import type { Ranges, Reader } from './reader.ts';
import type { Setting } from './setting.ts';

export interface Listening {
  mqtt: Address;
  mqtts: Address | undefined;
  ws: Address | undefined;
  wss: Address | undefined;
  tls: TlsFiles | undefined;
  /** Ranges of the balancers' addresses. */
  proxyFrom: Ranges;
  /** Whether others than this machine may connect without TLS. */
  insecureListen: boolean;
}

const SCHEMES: readonly Scheme[] = ['mqtt', 'mqtts', 'ws', 'wss'];

const listenSetting = (scheme: Scheme) => `TILLWATCH_${scheme.toUpperCase()}_LISTEN`;

export const LISTENING_SETTINGS: readonly Setting<Listening>[] = [
  {
    name: 'TILLWATCH_MQTT_LISTEN',
    default: '127.0.0.1:1883',
    help: 'where terminals connect, host:port',
    shown: (s) => shownAddress(s.mqtt),
  },
  {
    name: 'TILLWATCH_MQTTS_LISTEN',
    default: '',
    help: 'where terminals connect by TLS, host:port, such as 0.0.0.0:8883',
    shown: (s) => shownOptional(s.mqtts),
  },
  {
    name: 'TILLWATCH_WS_LISTEN',
    default: '',
    help: 'where they connect by WebSocket, host:port; path /mqtt, subprotocol mqtt',
    shown: (s) => shownOptional(s.ws),
  },
  { name: 'TILLWATCH_WSS_LISTEN', default: '', help: 'the same by WebSocket over TLS, host:port', shown: (s) => shownOptional(s.wss) },
  {
    name: 'TILLWATCH_TLS_CERT_FILE',
    default: '',
    help: "the broker's certificate and those between it and its authority, PEM; read again when it changes",
    shown: (s) => s.tls?.certFile ?? '',
  },
  { name: 'TILLWATCH_TLS_KEY_FILE', default: '', help: 'its private key, PEM', shown: (s) => s.tls?.keyFile ?? '' },
  {
    name: 'TILLWATCH_TLS_CLIENT_CA_FILE',
    default: '',
    help: "the authorities of terminals' certificates, PEM: with it, one with O={acquirer}, CN={sn} is a log-in",
    shown: (s) => s.tls?.clientCaFile ?? '',
  },
  {
    name: 'TILLWATCH_TLS_CRL_FILE',
    default: '',
    help: 'what those authorities have revoked, PEM: a list of each of them',
    shown: (s) => s.tls?.crlFile ?? '',
  },
  {
    name: 'TILLWATCH_PROXY_FROM',
    default: '',
    help: 'address ranges of balancers, such as "10.0.0.0/28": they must, and they alone may, send a PROXY header (version 1 or 2)',
    shown: (s) => s.proxyFrom.text,
  },
  {
    name: 'TILLWATCH_INSECURE_LISTEN',
    default: '',
    help: '1: let other machines connect without TLS, where MQTT or WS listens beyond loopback',
    shown: (s) => (s.insecureListen ? '1' : ''),
  },
];

export function readListening(reader: Reader): Listening {
  const { text, address, problems } = reader;
  const optional = (name: string) => (text(name) === '' ? undefined : address(name));
  const listening: Listening = {
    mqtt: address('TILLWATCH_MQTT_LISTEN'),
    mqtts: optional('TILLWATCH_MQTTS_LISTEN'),
    ws: optional('TILLWATCH_WS_LISTEN'),
    wss: optional('TILLWATCH_WSS_LISTEN'),
    tls: tlsFiles(reader),
    proxyFrom: reader.ranges('TILLWATCH_PROXY_FROM'),
    insecureListen: text('TILLWATCH_INSECURE_LISTEN') === '1',
  };
  if (!['', '1'].includes(text('TILLWATCH_INSECURE_LISTEN'))) problems.push('TILLWATCH_INSECURE_LISTEN: 1, or nothing');
  for (const listener of listenersOf(listening)) {
    const problem = listenerProblem(listener, listening);
    if (problem) problems.push(`${listenSetting(listener.scheme)}: ${problem}`);
  }
  return listening;
}

/** Those that are set, the plain one first. */
export function listenersOf(listening: Listening): ListenAddress[] {
  return SCHEMES.flatMap((scheme) => {
    const address = listening[scheme as keyof Listening] as Address | undefined;
    return address ? [{ scheme, ...address }] : [];
  });
}

/** The balancers, as the broker asks for them; undefined where there are none. */
export function proxiesOf({ proxyFrom: { ranges } }: Listening): BlockList | undefined {
  if (ranges.length === 0) return undefined;
  const list = new BlockList();
  for (const [address, bits] of ranges) list.addSubnet(address.toString(), bits, address.kind());
  return list;
}

function listenerProblem({ scheme, host, port }: ListenAddress, { tls, insecureListen }: Listening): string | undefined {
  const isEncrypted = scheme === 'mqtts' || scheme === 'wss';
  if (isEncrypted && !tls) return 'needs a certificate: give TILLWATCH_TLS_CERT_FILE and TILLWATCH_TLS_KEY_FILE';
  if (isEncrypted || insecureListen || host === '' || isLoopback(host)) return undefined;
  return (
    `${shownAddress({ host, port })} is open to other machines without TLS, where tokens can be read on their way: use ` +
    `${listenSetting(scheme === 'ws' ? 'wss' : 'mqtts')}, or allow it by TILLWATCH_INSECURE_LISTEN=1`
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function tlsFiles({ text, problems }: Reader): TlsFiles | undefined {
  const [certFile, keyFile, clientCaFile, crlFile] = ['CERT', 'KEY', 'CLIENT_CA', 'CRL'].map((name) => text(`TILLWATCH_TLS_${name}_FILE`));
  if ((certFile === '') !== (keyFile === '')) problems.push('TILLWATCH_TLS_CERT_FILE and TILLWATCH_TLS_KEY_FILE: give both, or none');
  if (crlFile && !clientCaFile)
    problems.push('TILLWATCH_TLS_CRL_FILE: give TILLWATCH_TLS_CLIENT_CA_FILE too, the authorities whose list it is');
  if (!certFile || !keyFile) {
    if (clientCaFile) problems.push('TILLWATCH_TLS_CLIENT_CA_FILE: give TILLWATCH_TLS_CERT_FILE and TILLWATCH_TLS_KEY_FILE too');
    return undefined;
  }
  return { certFile, keyFile, ...(clientCaFile ? { clientCaFile } : {}), ...(crlFile ? { crlFile } : {}) };
}

function shownOptional(address: Address | undefined): string {
  return address ? shownAddress(address) : '';
}
