import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Aedes, type AuthenticateError, type Client } from 'aedes';
import { onTestFinished } from 'vitest';
import { decodePayload } from '../../../protocol/codec/decode.ts';
import type { Message } from '../../../protocol/schemas/messages.ts';
import { isUpChannel, parseTopic } from '../../../protocol/topics.ts';

export interface Arrival {
  /** Which connection it came over, from 0; -1 where the broker said it for one that was lost. */
  connection: number;
  channel: string;
  retain: boolean;
  dup: boolean;
  bytes: number;
  message: Message;
}

interface Will {
  topic: string;
  payload: Buffer;
  qos: number;
  retain: boolean;
}

interface Login {
  clientId: string;
  username: string;
  password: string;
  will?: { topic: string; payload: unknown; qos: number; retain: boolean };
}

export type TestBroker = Awaited<ReturnType<typeof startBroker>>;

/** A real Aedes on a free port, whose PUBACKs can be held back and whose log-ins can be refused. */
export async function startBroker() {
  const arrivals: Arrival[] = [];
  const logins: Login[] = [];
  const sockets = new Set<Socket>();
  const held: (() => void)[] = [];
  const wills = new WeakMap<Client, Will>();
  const control = { holdReports: false, refuseWith: 0 };

  const aedes = await Aedes.createBroker({ concurrency: 1000 });
  aedes.preConnect = (client, packet, done) => {
    const { will } = packet as { will?: Will };
    if (will) wills.set(client, will);
    done(null, true);
  };
  aedes.authenticate = (client, username, password, done) => {
    if (control.refuseWith) return done(Object.assign(new Error('refused'), { returnCode: control.refuseWith }) as AuthenticateError, null);
    const will = wills.get(client);
    logins.push({
      clientId: client.id,
      username: username ?? '',
      password: String(password),
      ...(will ? { will: { topic: will.topic, payload: JSON.parse(String(will.payload)), qos: will.qos, retain: will.retain } } : {}),
    });
    (client as unknown as { order: number }).order = logins.length - 1;
    done(null, true);
  };
  aedes.authorizePublish = (client, packet, done) => {
    const channel = parseTopic(packet.topic)?.channel ?? '';
    const decoded = isUpChannel(channel) ? decodePayload(channel, packet.payload as Buffer) : undefined;
    if (!decoded?.ok) return done(new Error(`the agent sent a bad message on ${packet.topic}`));
    const { order } = (client ?? { order: -1 }) as { order: number };
    const bytes = packet.payload.length;
    arrivals.push({
      connection: order,
      channel,
      retain: packet.retain,
      dup: (packet as { dup?: boolean }).dup === true,
      bytes,
      message: decoded.message,
    });
    if (control.holdReports && channel === 'report') held.push(() => done(null));
    else done(null);
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    aedes.handle(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const stop = async () => {
    aedes.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(stop);
  return {
    port: (server.address() as AddressInfo).port,
    aedes,
    arrivals,
    logins,
    control,
    held,
    /** Breaks every connection, as a network does. */
    breakAll: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    command: (topic: string, command: object) =>
      new Promise<void>((resolve, reject) => {
        const packet = { cmd: 'publish', topic, payload: Buffer.from(JSON.stringify(command)), qos: 1, retain: false, dup: false } as const;
        aedes.publish(packet, (error) => (error ? reject(error) : resolve()));
      }),
    on: (channel: string) => arrivals.filter((a) => a.channel === channel),
  };
}
