import { describe, expect, it } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import type { MqttClient } from '../../helpers/mqtt.ts';
import { testBroker } from '../harness.ts';

const MIB = 1024 * 1024;
/** By hand: ADMISSION_CLIENTS=9000 with `ulimit -n` at 20 000, as both ends are in this process. */
const CLIENTS = Number(process.env.ADMISSION_CLIENTS ?? 500);
const CONNECTING_AT_ONCE = 250;
const REPORT_BYTES = 20_000;

describe('a broker whose log stands still', () => {
  it(`holds PUBACKs and bounded memory while ${CLIENTS} clients push, refuses new ones with a reason, and loses nothing after`, async () => {
    const limits = { pending_bytes: 8 * MIB, address_failures: 0, connects: 0 };
    const { terminal, log, broker, clock, arrivals } = await testBroker({ limits });
    const users = Array.from({ length: CLIENTS }, (_, i) => `a${i % 5}/SN${String(i).padStart(6, '0')}`);
    const clients: MqttClient[] = [];
    while (clients.length < CLIENTS) {
      const next = users.slice(clients.length, clients.length + CONNECTING_AT_ONCE);
      clients.push(...(await Promise.all(next.map((user) => terminal(user)))));
    }
    const report = 'x'.repeat(REPORT_BYTES);
    log.hold();
    const before = process.memoryUsage().arrayBuffers;

    for (const [i, client] of clients.entries()) client.send(client.publishPacket(`pos/v1/${users[i]}/report`, report));
    await eventually(() => expect(broker.stats().limits.pending_bytes).toBeGreaterThan(0));
    await eventually(() => expect(broker.stats().pendingAppends + broker.stats().failedAppends).toBeGreaterThan(CLIENTS / 2));

    expect(broker.stats().pendingAppends * REPORT_BYTES).toBeLessThanOrEqual(limits.pending_bytes);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(CLIENTS * 2 * REPORT_BYTES + 4 * limits.pending_bytes);
    expect(clients.flatMap(({ acknowledged }) => acknowledged)).toEqual([]);

    clock.pass(11_000);
    expect((await terminal('late/SN999999')).returnCode).toBe(3);
    expect(broker.stats()).toMatchObject({ refusals: { log_unavailable: 1 }, limits: { log_seconds: 1 } });

    log.release();
    await eventually(() => expect(broker.stats().pendingAppends).toBe(0));
    clock.pass(1_000);
    const kept = clients.filter(({ socket }) => !socket.destroyed);
    await eventually(() => expect(kept.every(({ acknowledged }) => acknowledged.length === 1)).toBe(true));
    expect(new Set(arrivals().map(({ sn }) => sn)).size).toBe(kept.length);
    await eventually(async () => expect((await terminal('late/SN999999')).returnCode).toBe(0));
  });
});
