/** PUBACKs and their order: those that one batch of the log brings to a connection are one write. */

/** MQTT 3.1.1, 3.4. */
const PUBACK = 0x40;
const PUBACK_BYTES = 4;

/** PUBACKs for these message ids, in this order. */
export function pubacks(ids: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(PUBACK_BYTES * ids.length);
  let at = 0;
  for (const id of ids) {
    bytes[at] = PUBACK;
    bytes[at + 1] = 2;
    bytes[at + 2] = id >> 8;
    bytes[at + 3] = id & 0xff;
    at += PUBACK_BYTES;
  }
  return bytes;
}

/**
 * Gathers what has something to write until the log has told all of a batch. It is written in a microtask: after the log's loop over
 * the batch, and before the PUBACKs that Aedes is told to write by later messages of the same batch (publishing.ts). `flushed` is called after it.
 */
export function createFlusher(flushed: () => void): (flow: { flush(): void }) => void {
  let waiting: { flush(): void }[] = [];
  const flushAll = () => {
    const flows = waiting;
    waiting = [];
    for (const flow of flows) flow.flush();
    flushed();
  };
  return (flow) => {
    if (waiting.push(flow) === 1) queueMicrotask(flushAll);
  };
}
