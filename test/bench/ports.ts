import { connect } from 'node:net';
import { eventually } from '../helpers/eventually.ts';

const READY_WITHIN_MS = 120_000;

/** Resolves when something listens there. */
export function listening(port: number): Promise<void> {
  return eventually(
    () =>
      new Promise<void>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.destroy();
          resolve();
        });
        socket.once('error', reject);
      }),
    { within: READY_WITHIN_MS, every: 20 },
  );
}
