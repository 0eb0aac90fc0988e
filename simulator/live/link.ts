/**
 * One MQTT 3.1.1 connection of a virtual terminal, with no more than it needs: a fleet is thousands of these in one process. It can
 * break off as real ones do: at once, or without a word.
 */
import { connect as dial, type Socket } from 'node:net';
import mqtt, { type Packet } from 'mqtt-packet';

export interface LinkOptions {
  host: string;
  port: number;
  clientId: string;
  username: string;
  password: string;
  keepaliveSeconds: number;
  will: { topic: string; payload: string };
  /** A message came down. */
  onMessage: (topic: string, payload: string) => void;
  /** It is over, and why; not called after `leave` and `drop`. */
  onEnd: (problem: string) => void;
}

export interface Link {
  /** Resolves once the broker has accepted; rejects with why it did not. */
  opened: Promise<void>;
  /** Resolves with true on the PUBACK, with false where the connection ended before it. */
  publish(topic: string, payload: string, retain: boolean): Promise<boolean>;
  subscribe(topic: string): void;
  /** Goes with a DISCONNECT: the broker throws the Will away. */
  leave(): void;
  /** Goes at once: the broker publishes the Will. */
  drop(): void;
  /** Says nothing more, and keeps the socket: the broker gives it up in its own time. */
  freeze(): void;
}

/** From the first packet to the CONNACK. */
const LOG_IN_WITHIN_MS = 30_000;
const MOST_IDS = 65_535;

export function openLink(options: LinkOptions): Link {
  const socket = dial({ host: options.host, port: options.port, noDelay: true });
  const parser = mqtt.parser({ protocolVersion: 4 });
  const unacked = new Map<number, (acked: boolean) => void>();
  let lastId = 0;
  let over = false;
  let ping: NodeJS.Timeout | undefined;
  let settle: { resolve(): void; reject(error: Error): void };
  const opened = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  const patience = setTimeout(() => end('no answer to the log-in in time'), LOG_IN_WITHIN_MS);

  const send = (packet: Packet) => void (over || socket.write(mqtt.generate(packet)));

  function finish(problem: string): boolean {
    if (over) return false;
    over = true;
    clearTimeout(patience);
    clearInterval(ping);
    for (const resolve of unacked.values()) resolve(false);
    settle.reject(new Error(problem));
    return true;
  }

  function end(problem: string): void {
    const news = finish(problem);
    socket.destroy();
    if (news) options.onEnd(problem);
  }

  function accepted(returnCode: number): void {
    if (returnCode !== 0) return end(`CONNACK ${returnCode}`);
    clearTimeout(patience);
    // Whatever was sent meanwhile would do; a ping each keepalive is simple, and in time (3.1.2.10 allows half as much again).
    ping = setInterval(() => send({ cmd: 'pingreq' }), options.keepaliveSeconds * 1000);
    settle.resolve();
  }

  function receive(packet: Packet): void {
    if (over) return;
    if (packet.cmd === 'connack') accepted(packet.returnCode ?? 0);
    else if (packet.cmd === 'puback') {
      unacked.get(packet.messageId!)?.(true);
      unacked.delete(packet.messageId!);
    } else if (packet.cmd === 'publish') {
      options.onMessage(packet.topic, packet.payload.toString());
      if (packet.qos === 1) send({ cmd: 'puback', messageId: packet.messageId! });
    }
  }

  const nextId = () => {
    do lastId = (lastId % MOST_IDS) + 1;
    while (unacked.has(lastId));
    return lastId;
  };

  opened.catch(() => {});
  parser.on('packet', receive);
  parser.on('error', () => end('the broker sent what is not MQTT'));
  socket.on('data', (chunk) => void parser.parse(chunk));
  socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  socket.on('close', () => end('the broker closed the connection'));
  socket.once('connect', () => logIn(socket, options));
  return {
    opened,
    publish: (topic, payload, retain) => {
      if (over) return Promise.resolve(false);
      const messageId = nextId();
      return new Promise((resolve) => {
        unacked.set(messageId, resolve);
        send({ cmd: 'publish', messageId, qos: 1, dup: false, retain, topic, payload });
      });
    },
    subscribe: (topic) => send({ cmd: 'subscribe', messageId: nextId(), subscriptions: [{ topic, qos: 1 }] }),
    leave: () => {
      send({ cmd: 'disconnect' });
      finish('left');
      socket.end();
    },
    drop: () => {
      finish('dropped');
      socket.destroy();
    },
    freeze: () => {
      finish('frozen');
      // Nobody waits for the broker to give it up: it ends with its process.
      socket.unref();
    },
  };
}

function logIn(socket: Socket, { clientId, username, password, keepaliveSeconds, will }: LinkOptions): void {
  const credentials = { clientId, username, password: Buffer.from(password) };
  const lastWill = { topic: will.topic, payload: Buffer.from(will.payload), qos: 1 as const, retain: true };
  socket.write(
    mqtt.generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      keepalive: keepaliveSeconds,
      will: lastWill,
      ...credentials,
    }),
  );
}
