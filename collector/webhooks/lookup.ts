/**
 * Looks host names up without the threads of `dns.lookup`: there are two of them for the whole process, and a name whose servers do not
 * answer holds one for long, so that it would delay every other receiver.
 */
import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import type { LookupFunction } from 'node:net';

const HOSTS_FILE = '/etc/hosts';
const TIMEOUT_MS = 4_000;
const TRIES = 2;

interface Address {
  address: string;
  family: 4 | 6;
}

/** By the machine's own file first, as the system does, then by its name servers. */
export function hostLookup(): LookupFunction {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  return (hostname, { all }, callback) => {
    addressesOf(hostname, resolver).then(
      (addresses) => {
        const [first] = addresses;
        if (all || !first) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error) => callback(error, []),
    );
  };
}

/** IPv4 first. Errors: the look-up's, where it brings nothing. */
async function addressesOf(hostname: string, resolver: Resolver): Promise<Address[]> {
  const local = inHosts(await readFile(HOSTS_FILE, 'utf8').catch(() => ''), hostname);
  if (local.length > 0) return local;
  const [four, six] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  const found = [...asAddresses(four, 4), ...asAddresses(six, 6)];
  if (found.length === 0 && four.status === 'rejected') throw four.reason;
  return found;
}

function asAddresses(result: PromiseSettledResult<string[]>, family: 4 | 6): Address[] {
  return result.status === 'fulfilled' ? result.value.map((address) => ({ address, family })) : [];
}

/** hosts(5): an address and its names a line, # begins a comment. */
export function inHosts(text: string, hostname: string): Address[] {
  const wanted = hostname.toLowerCase().replace(/\.$/, '');
  return text.split('\n').flatMap((line) => {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (!address || !names.some((name) => name.toLowerCase() === wanted)) return [];
    return [{ address, family: address.includes(':') ? 6 : 4 } as const];
  });
}
