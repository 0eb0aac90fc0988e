/** A connection on its way in, stage by stage: from the socket that was accepted to a stream that speaks MQTT. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionProblem } from '../refusals.ts';
import type { ClientCertificate } from './certificate.ts';

export interface Arrival {
  /** As it was accepted. */
  readonly accepted: Socket;
  /** The client's own, also behind a balancer. */
  address: string;
  certificate?: ClientCertificate | undefined;
}

/** Does its part with a socket that nothing was read of, and passes it on. */
export type Stage<S extends Duplex = Socket> = (socket: S, arrival: Arrival) => void;

/** Counts an arrival that came to nothing. */
export type Refuse = (reason: ConnectionProblem, arrival: Arrival, detail: string) => void;
