/** The settings of where the broker listens, and of who may connect how. */
import { BlockList, isIPv4 } from 'node:net';
import type { ListenAddress, Scheme } from '../broker/listeners/listeners.ts';
import type { TlsFiles } from '../broker/listeners/tls.ts';
import { parseRanges, type Range } from '../collector/webhooks/addresses.ts';
import { type Address, shownAddress } from './address.ts';

export interface Listening {
  mqtt: Address;
  mqtts: Address | undefined;
  ws: Address | undefined;
  wss: Address | undefined;
  tls: TlsFiles | undefined;
  /** Ranges of the balancers' addresses, as text and as read. */
  proxyFrom: { text: string; ranges: Range[] };
  /** Whether others than this machine may connect without TLS. */
  insecureListen: boolean;
}

const SCHEMES: readonly Scheme[] = ['mqtt', 'mqtts', 'ws', 'wss'];

export const listenSetting = (scheme: Scheme) => `TILLWATCH_${scheme.toUpperCase()}_LISTEN`;

type Text = (name: string) => string;

/** `address`: reads an address, and finds a mistake in it. */
export function readListening(text: Text, address: (name: string) => Address, problems: string[]): Listening {
  const optional = (name: string) => (text(name) === '' ? undefined : address(name));
  const listening: Listening = {
    mqtt: address('TILLWATCH_MQTT_LISTEN'),
    mqtts: optional('TILLWATCH_MQTTS_LISTEN'),
    ws: optional('TILLWATCH_WS_LISTEN'),
    wss: optional('TILLWATCH_WSS_LISTEN'),
    tls: tlsFiles(text, problems),
    proxyFrom: proxyFrom(text('TILLWATCH_PROXY_FROM'), problems),
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

function tlsFiles(text: Text, problems: string[]): TlsFiles | undefined {
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

function proxyFrom(text: string, problems: string[]): Listening['proxyFrom'] {
  const { ranges, bad } = parseRanges(text);
  for (const part of bad) problems.push(`TILLWATCH_PROXY_FROM: "${part}" is not a range of addresses, such as 10.0.0.0/8`);
  return { text, ranges };
}
