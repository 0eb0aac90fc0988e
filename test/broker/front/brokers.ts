/** Brokers from their parts, so that one may be had without the front: Aedes reads its sockets itself, as far as frames are allowed. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { loadOrCreateKeys } from '../../../backbone/credentials/keys.ts';
import { issueToken } from '../../../backbone/credentials/tokens.ts';
import { FrameMeter, OversizedFrameError } from '../../../broker/front/frames.ts';
import type { LimitValues } from '../../../broker/limits/table.ts';
import { createParts, type Parts } from '../../../broker/parts.ts';
import { decodeRecord } from '../../../protocol/record.ts';
import { MemoryLog } from '../../helpers/memory-log.ts';
import { connectMqtt, type MqttClient, type MqttLogin } from '../../helpers/mqtt.ts';
import { tempDir } from '../../helpers/tempdir.ts';
import { START, TestClock } from '../harness.ts';

export interface BareBroker {
  parts: Parts;
  log: MemoryLog;
  /** Topics of the messages that Aedes was given. */
  throughAedes: string[];
  port: number;
  token(user: string): string;
  terminal(user: string, login?: Partial<MqttLogin>): Promise<MqttClient>;
  /** The messages in the log from its record `from` on, byte for byte. */
  arrivals(from: number): Buffer[];
}

export async function bareBroker(kind: 'front' | 'plain', limits: Partial<LimitValues> = {}): Promise<BareBroker> {
  const [log, clock] = [new MemoryLog(), new TestClock()];
  const keysFile = join(await tempDir(), 'keys.json');
  const [key] = await loadOrCreateKeys(keysFile, randomBytes, () => START - 1_000);
  const options = { node: 'node-1', listeners: [], log, control: new MemoryLog().reader(), keysFile, say: () => {}, limits };
  const parts = await createParts(options, clock);
  await parts.follower.start();
  await parts.aedes.listen();
  const throughAedes: string[] = [];
  const { authorizePublish } = parts.aedes;
  parts.aedes.authorizePublish = (client, packet, callback) => {
    throughAedes.push(packet.topic);
    authorizePublish(client, packet, callback);
  };
  const server = createServer({ noDelay: true }, kind === 'front' ? parts.front.open : (socket) => openPlainly(parts, socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    parts.follower.stop();
    await new Promise<void>((resolve) => parts.aedes.close(() => server.close(() => resolve())));
  });
  const { port } = server.address() as AddressInfo;
  const token = (user: string) => issueToken(key, user, { now: START - 500, expiresAt: START + 3_600_000 });
  return {
    parts,
    log,
    throughAedes,
    port,
    token,
    terminal: (user, login = {}) =>
      connectMqtt({ port, username: user, password: token(user), clientId: user.split('/')[1] ?? '', ...login }),
    arrivals: (from) =>
      log.records
        .slice(from)
        .filter((bytes) => decodeRecord(bytes).kind === 'arrival')
        .map((bytes) => Buffer.from(bytes)),
  };
}

/** Hands a connection to Aedes itself, as far as frames are allowed. */
export function openPlainly({ aedes }: Parts, socket: Duplex): void {
  const meter = new FrameMeter();
  const push = socket.push.bind(socket);
  socket.push = (chunk: Uint8Array | null) => {
    if (chunk === null || meter.take(chunk)) return push(chunk);
    socket.destroy(new OversizedFrameError());
    return false;
  };
  aedes.handle(socket);
}
