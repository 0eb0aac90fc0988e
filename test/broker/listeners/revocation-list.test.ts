import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { namesOf, revokedIn } from '../../../broker/listeners/revocation-list.ts';
import { type Authority, newAuthority, type Pair } from '../../helpers/authority.ts';

const certificateOf = async ({ certFile }: Pair) => new X509Certificate(await readFile(certFile));

async function clients(authority: Authority, count: number): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let n = 0; n < count; n++) pairs.push(await authority.client(`/O=acme/CN=SN00000${n}`));
  return pairs;
}

describe('a revocation list', () => {
  it('names the certificates that it revokes, and no others', async () => {
    const authority = await newAuthority();
    const [one, two, three] = (await clients(authority, 3)) as [Pair, Pair, Pair];

    const [none, some] = [revokedIn([await authority.revocationList()]), revokedIn([await authority.revocationList(one, three)])];

    const isIn = async (revoked: Set<string>) =>
      Promise.all([one, two, three].map(async (pair) => namesOf(await certificateOf(pair)).some((name) => revoked.has(name))));
    expect([none.size, some.size]).toEqual([0, 2]);
    expect([await isIn(none), await isIn(some)]).toEqual([
      [false, false, false],
      [true, false, true],
    ]);
  });

  it("of one authority says nothing of another's, though serial numbers are the same", async () => {
    const [mine, other] = [await newAuthority('/CN=mine'), await newAuthority('/CN=other')];
    const [[one], [same]] = [await clients(mine, 1), await clients(other, 1)];

    const revoked = revokedIn([await mine.revocationList(one!), await other.revocationList()]);

    const [a, b] = [await certificateOf(one!), await certificateOf(same!)];
    expect(a.serialNumber).toBe(b.serialNumber);
    expect([namesOf(a).some((name) => revoked.has(name)), namesOf(b).some((name) => revoked.has(name))]).toEqual([true, false]);
  });

  it('is read as openssl reads it', async () => {
    const authority = await newAuthority();
    const pairs = await clients(authority, 4);
    const list = await authority.revocationList(...pairs.slice(1));

    const text = promisify(execFile)('openssl', ['crl', '-noout', '-text']);
    text.child.stdin!.end(list);
    const serials = [...(await text).stdout.matchAll(/Serial Number: ([0-9A-F]+)/g)].map(([, serial]) => serial!.toLowerCase());

    expect([...revokedIn([list])].map((name) => name.split(' ')[1])).toEqual(serials);
  });

  it.each(['', 'AA==', 'MAA=', 'MAIwAA==', 'MIIB'])('is not what holds %j, which is an error', (text) => {
    expect(() => revokedIn([`-----BEGIN X509 CRL-----\n${text}\n-----END X509 CRL-----`])).toThrow();
  });
});
