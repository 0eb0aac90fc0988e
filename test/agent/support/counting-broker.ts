import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import mqtt, { type Packet } from 'mqtt-packet';
import { onTestFinished } from 'vitest';

/**
 * The far end of one connection, which answers all but reports at once, and those when it is told. Aedes reads no further while it
 * works on what it has read, so it cannot show how much a client sends unasked.
 */
export async function startCountingBroker() {
  const reports: { messageId: number; payload: string }[] = [];
  const sockets: Socket[] = [];
  let acknowledged = 0;
  const server = createServer((socket) => {
    sockets.push(socket);
    const send = (packet: Packet) => socket.write(mqtt.generate(packet));
    const parser = mqtt.parser();
    parser.on('packet', (packet) => {
      if (packet.cmd === 'connect') send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
      if (packet.cmd === 'subscribe') send({ cmd: 'suback', messageId: packet.messageId!, granted: [1] });
      if (packet.cmd !== 'publish') return;
      if (packet.topic.endsWith('/report')) reports.push({ messageId: packet.messageId!, payload: String(packet.payload) });
      else send({ cmd: 'puback', messageId: packet.messageId! });
    });
    socket.on('data', (chunk) => parser.parse(chunk));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    reports,
    /** Acknowledges the next `n` reports. */
    acknowledge: (n: number) => {
      for (const { messageId } of reports.slice(acknowledged, acknowledged + n))
        sockets[0]!.write(mqtt.generate({ cmd: 'puback', messageId }));
      acknowledged += n;
    },
  };
}
