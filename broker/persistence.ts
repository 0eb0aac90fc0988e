/**
 * What Aedes keeps in memory beyond a connection: its own store, bounded where a client alone decides how much that is. Aedes needs no
 * more of a QoS 2 message that waits for its PUBREL than its id, and counts them for each connection anew; it holds payloads as slices
 * of all that was read with them; and it looks through every retained message for each subscription, also for those of one topic.
 */
import { Readable } from 'node:stream';
import createMemory from 'aedes-persistence';

interface Kept {
  topic: string;
  payload: Buffer;
}
interface Unreleased {
  messageId: number;
}
interface Session {
  id: string;
}

/** The part of Aedes' store that is used or exchanged here. */
export interface Persistence {
  setup(broker: { id: string }): Promise<void>;
  outgoingStream(client: Session): AsyncIterable<unknown>;
  storeRetained(packet: Kept): Promise<void>;
  createRetainedStreamCombi(filters: string[]): Readable;
  putWill(client: Session, will: Kept): Promise<void>;
  incomingStorePacket(client: Session, packet: Unreleased): Promise<void>;
  incomingGetPacket(client: Session, packet: Unreleased): Promise<Unreleased>;
  incomingDelPacket(client: Session, packet: Unreleased): Promise<void>;
  cleanIncoming(client: Session): Promise<void>;
}

/** Its types are those of its callback form, and of a module with a default. */
const memory = createMemory as unknown as () => Persistence;

/** `maxUnreleased`: of one session, however often it comes back. */
export function createPersistence(maxUnreleased: number): Persistence {
  const store = memory();
  return Object.assign(store, retaining(store), unreleased(maxUnreleased));
}

function retaining(store: Persistence): Pick<Persistence, 'storeRetained' | 'createRetainedStreamCombi' | 'putWill'> {
  const byTopic = new Map<string, Kept>();
  const storeRetained = store.storeRetained.bind(store);
  const streamOf = store.createRetainedStreamCombi.bind(store);
  const putWill = store.putWill.bind(store);

  async function* matching(filters: string[]) {
    for (const filter of filters) {
      const kept = byTopic.get(filter);
      if (kept) yield kept;
    }
    yield* streamOf(filters.filter((filter) => /[+#]/.test(filter)));
  }

  return {
    storeRetained(packet) {
      const kept = { ...packet, payload: ownBytes(packet.payload) };
      if (kept.payload.length > 0) byTopic.set(kept.topic, kept);
      else byTopic.delete(kept.topic);
      return storeRetained(kept);
    },
    createRetainedStreamCombi: (filters) => Readable.from(matching(filters)),
    putWill(client, will) {
      will.payload = ownBytes(will.payload);
      return putWill(client, will);
    },
  };
}

/** The same bytes alone: a slice would keep all that it was cut from. */
function ownBytes(bytes: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}

type Incoming = Pick<Persistence, 'incomingStorePacket' | 'incomingGetPacket' | 'incomingDelPacket' | 'cleanIncoming'>;

function unreleased(max: number): Incoming {
  const idsOf = new Map<string, Set<number>>();
  const absent = () => new Error('no such packet');
  return {
    async incomingStorePacket({ id }, { messageId }) {
      const ids = idsOf.get(id) ?? new Set();
      // As Aedes itself says it of a connection.
      if (ids.size >= max && !ids.has(messageId)) throw new Error(`maxInflightInbound exceeded: ${max}`);
      idsOf.set(id, ids.add(messageId));
    },
    async incomingGetPacket({ id }, { messageId }) {
      if (!idsOf.get(id)?.has(messageId)) throw absent();
      return { messageId };
    },
    async incomingDelPacket({ id }, { messageId }) {
      const ids = idsOf.get(id);
      if (!ids?.delete(messageId)) throw absent();
      if (ids.size === 0) idsOf.delete(id);
    },
    async cleanIncoming({ id }) {
      idsOf.delete(id);
    },
  };
}
