/** MQTT over WebSocket: subprotocol `mqtt`, path `/mqtt`, binary frames alone (MQTT 3.1.1, section 6). */
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import type { Arrival, Refuse, Stage } from './arrival.ts';

const PATH = '/mqtt';
const PROTOCOL = 'mqtt';
/** Clients put several packets into one message. */
const MAX_MESSAGE_BYTES = 256 * 1024;

/** `next` is passed a stream of MQTT's bytes. */
export function webSocketStage(refuse: Refuse, next: Stage<Duplex>): Stage {
  const arrivals = new WeakMap<Duplex, Arrival>();
  const sockets = new WebSocketServer({ noServer: true, path: PATH, maxPayload: MAX_MESSAGE_BYTES, handleProtocols: () => PROTOCOL });
  const http = createServer((_request, response) => {
    response.writeHead(426, { connection: 'close', 'content-type': 'text/plain' });
    response.end(`this is MQTT over WebSocket, at ${PATH}\n`);
  });
  http.on('upgrade', (request, socket, head) => {
    const arrival = arrivals.get(socket);
    const protocols = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim());
    if (!arrival || !protocols?.includes(PROTOCOL)) {
      socket.end(`HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => next(streamOf(webSocket, arrival, refuse), arrival));
  });
  return (socket: Socket, arrival) => {
    arrivals.set(socket, arrival);
    http.emit('connection', socket);
  };
}

function streamOf(webSocket: WebSocket, arrival: Arrival, refuse: Refuse): Duplex {
  webSocket.on('message', (_data, isBinary) => {
    if (isBinary) return;
    refuse('bad_packet', arrival, 'text over WebSocket');
    stream.destroy();
  });
  webSocket.on('error', (error) => refuse('bad_packet', arrival, error.message));
  const stream = createWebSocketStream(webSocket);
  return stream;
}
