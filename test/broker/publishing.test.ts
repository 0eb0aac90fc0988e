import { PassThrough } from 'node:stream';
import type { Client, PublishPacket } from 'aedes';
import { describe, expect, it } from 'vitest';
import type { KeyRing } from '../../backbone/credentials/tokens.ts';
import { parseUser } from '../../backbone/credentials/users.ts';
import { createDoor } from '../../broker/door.ts';
import { createIntake } from '../../broker/intake.ts';
import { createActed } from '../../broker/limits/acted.ts';
import { rateOf } from '../../broker/limits/bucket.ts';
import { createFailedLogins } from '../../broker/limits/failed-logins.ts';
import { limitValues } from '../../broker/limits/table.ts';
import { createPublishing } from '../../broker/publishing.ts';
import { createRefusals } from '../../broker/refusals.ts';
import { createSessions } from '../../broker/sessions.ts';
import { MemoryLog } from '../helpers/memory-log.ts';

/** As Aedes keeps a Will: a packet without a command. */
const will = { topic: 'pos/v1/acme/SN000001/state', payload: Buffer.from('lost'), qos: 1, retain: true } as unknown as PublishPacket;
const clientThat = (closed: boolean) => ({ conn: new PassThrough(), closed }) as unknown as Client;

const intakeOf = (log: MemoryLog, pending_bytes: number) =>
  createIntake({ log, say: () => {}, uptime: () => 0, limits: { pending_bytes, log_seconds: 10 } });

function parts() {
  const [log, sessions] = [new MemoryLog(), createSessions()];
  const refusals = createRefusals('node-1', Date.now, () => {});
  const [intake, limits, acted] = [intakeOf(log, 1_000_000), limitValues(), createActed()];
  const publishing = createPublishing({ node: 'node-1', now: () => 1, intake, sessions, refusals, limits, acted });
  const authorize = (client: Client | null, packet: PublishPacket) =>
    new Promise<Error | null | undefined>((resolve) => publishing.authorizePublish(client, packet, resolve));
  return { log, sessions, refusals, authorize };
}

describe('a Will that Aedes finds in its own sweep', () => {
  it('is logged where its client is gone', async () => {
    const { log, authorize } = parts();

    expect(await authorize(null, will)).toBeUndefined();

    expect(log.records).toHaveLength(1);
  });

  it('is not where its client lives, as after a standstill of the whole process', async () => {
    const { log, sessions, authorize } = parts();
    const client = clientThat(false);
    sessions.admit(client, parseUser('acme/SN000001')!, { issued: 0, keyId: 'k' }, 60);

    expect(await authorize(client, will)).toBeInstanceOf(Error);

    expect(log.records).toEqual([]);
  });

  it('is not where its topic is none of ours', async () => {
    const { log, authorize } = parts();

    expect(await authorize(null, { ...will, topic: '$SYS/x' })).toBeInstanceOf(Error);

    expect(log.records).toEqual([]);
  });
});

it('a refused log-in goes on under a name of nobody, so that Aedes touches no session of the terminal it named', () => {
  const { sessions, refusals } = parts();
  const keys: KeyRing = [{ id: 'k', secret: 'x', createdAt: 0 }];
  const door = createDoor({
    context: () => ({
      keys,
      revokedAt: () => undefined,
      isListed: () => false,
      following: true,
      logWorks: true,
      maxWillBytes: 0,
      now: 0,
    }),
    reloadKeys: async () => {},
    certificates: new WeakMap(),
    sessions,
    refusals,
    failedLogins: createFailedLogins({ perAddress: rateOf(0, 1), perIdentity: rateOf(0, 1), uptime: () => 0 }),
    gate: (next) => next.enter(),
  });
  const packet = {
    cmd: 'connect',
    clientId: 'acme/SN000001',
    protocolVersion: 4,
    username: 'acme/SN000001',
    password: Buffer.from('x'),
    clean: false,
    keepalive: 0,
  } as const;
  const seen = { ...packet };

  door.preConnect(clientThat(false), seen, () => {});

  expect(seen).toMatchObject({ clientId: 'refused/1', clean: true, keepalive: 0 });
});

it('what waits for a slow log is limited: beyond it a message is refused, and taken again when there is room', async () => {
  const log = new MemoryLog();
  const intake = intakeOf(log, 3_000);
  const take = () =>
    new Promise<string>((resolve) => {
      intake.take('acme', Buffer.alloc(1_000), (error) => resolve(error?.message ?? 'durable'));
    });
  log.hold();
  const waiting = [take(), take()];

  expect(await take()).toBe('too much waits for the log');
  expect(intake.works()).toBe(true);
  log.release();
  expect(await Promise.all(waiting)).toEqual(['durable', 'durable']);
  expect(await take()).toBe('durable');
  expect([intake.pending(), intake.failures()]).toEqual([0, 1]);
});
