/**
 * The header that a balancer writes before a client's bytes: HAProxy's PROXY protocol, versions 1 (a line of text) and 2 (binary), as in
 * its specification, doc/proxy-protocol.txt, sections 2.1 and 2.2.
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** `bytes`: its length. `address`: the client's; undefined where the balancer speaks for itself or knows none. */
export type ProxyHeader = { kind: 'whole'; bytes: number; address: string | undefined } | { kind: 'partial' } | { kind: 'bad' };

const V1_START = Buffer.from('PROXY ');
/** With the longest addresses there are, and the end of line. */
const V1_MAX_BYTES = 107;
const V1_TCP = /^PROXY TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5})$/;
const V1_UNKNOWN = /^PROXY UNKNOWN(?: .*)?$/;

const V2_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_HEAD_BYTES = 16;
/** Addresses, and what balancers add of their own. */
const V2_MAX_BODY_BYTES = 2_048;
const V2_LOCAL = 0x20;
const V2_PROXY = 0x21;
/** Address families over a stream, with the bytes of an address and of all that such a header has to have. */
const V2_FAMILIES: Record<number, { address: number; body: number } | undefined> = {
  17: { address: 4, body: 12 },
  33: { address: 16, body: 36 },
};

const PARTIAL: ProxyHeader = { kind: 'partial' };
const BAD: ProxyHeader = { kind: 'bad' };

/** Reads the header at the start of what a connection has brought so far. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, V2_START)) return bytes.length < V2_HEAD_BYTES ? PARTIAL : readV2(bytes);
  if (startsLike(bytes, V1_START)) return readV1(bytes);
  return BAD;
}

function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}

function readV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_MAX_BYTES).indexOf('\r\n');
  if (end === -1) return bytes.length < V1_MAX_BYTES ? PARTIAL : BAD;
  const line = bytes.toString('latin1', 0, end);
  if (V1_UNKNOWN.test(line)) return { kind: 'whole', bytes: end + 2, address: undefined };
  const [, family, source = '', destination = '', ...ports] = V1_TCP.exec(line) ?? [];
  const areAddresses = [source, destination].every((address) => isIP(address) === Number(family));
  if (!areAddresses || ports.some((port) => Number(port) > 65_535)) return BAD;
  return { kind: 'whole', bytes: end + 2, address: ipaddr.process(source).toString() };
}

function readV2(bytes: Buffer): ProxyHeader {
  const [command, family, length] = [bytes[12]!, bytes[13]!, bytes.readUInt16BE(14)];
  if ((command !== V2_LOCAL && command !== V2_PROXY) || length > V2_MAX_BODY_BYTES) return BAD;
  const end = V2_HEAD_BYTES + length;
  if (bytes.length < end) return PARTIAL;
  const sizes = V2_FAMILIES[family];
  if (command === V2_LOCAL || !sizes) return { kind: 'whole', bytes: end, address: undefined };
  if (length < sizes.body) return BAD;
  const source = ipaddr.fromByteArray([...bytes.subarray(V2_HEAD_BYTES, V2_HEAD_BYTES + sizes.address)]);
  return { kind: 'whole', bytes: end, address: ipaddr.process(source.toString()).toString() };
}
