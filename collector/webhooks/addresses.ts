/**
 * Which addresses a webhook may be delivered to. A receiver's address comes from outside, and our network may reach what its author
 * may not: so only public addresses are dialled, and only over TLS, but for the ranges that an operator allows.
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** An address and how many of its leading bits count. */
export type Range = [Address, number];

/** What IANA has given out as global unicast; everything else in IPv6 is special in one way or another (RFC 4291, 2.4). */
const GLOBAL_IPV6: Range = ipaddr.parseCIDR('2000::/3');

/** Reads ranges such as "10.0.0.0/8, fd00::/8"; a lone address is a range of one. `bad`: those that are none. */
export function parseRanges(text: string): { ranges: Range[]; bad: string[] } {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  const ranges: Range[] = [];
  const bad: string[] = [];
  for (const part of parts) {
    const range = parseRange(part);
    if (range) ranges.push(range);
    else bad.push(part);
  }
  return { ranges, bad };
}

function parseRange(text: string): Range | undefined {
  // ipaddr.js reads as C does: "10/8" were 0.0.0.10/8 to it, and "010.0.0.0/8" octal.
  const [written = ''] = text.split('/');
  if (isIP(written) === 0) return undefined;
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (text !== written) return undefined;
  const address = ipaddr.parse(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

/**
 * Why an address may not be dialled, in words; null where it may. `tls`: whether the delivery is encrypted. An IPv4 address that is
 * written as an IPv6 one is judged as what it is.
 */
export function refusalOf(text: string, tls: boolean, allowed: readonly Range[]): string | null {
  // ipaddr.js takes "::8.8.8.8" (RFC 4291, 2.5.5.1) for 8.8.8.8, which is not where it leads.
  const address = ipaddr.process(text.replace(/^::(?=\d+\.)/, '::0:'));
  if (allowed.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits))) return null;
  const kind = address.range();
  const isPublic = kind === 'unicast' && (address.kind() === 'ipv4' || address.match(GLOBAL_IPV6));
  if (!isPublic) return `${text} is not a public address (${kind}): an operator may allow its range in TILLWATCH_WEBHOOK_ALLOW`;
  return tls ? null : 'a receiver on the public network must be reached over https';
}
