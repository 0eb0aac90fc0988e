/** Changes of the key ring, by whoever holds the control log's writer: so one is made at a time, and brokers are told of each at once. */
import type { ControlWriter } from '../control.ts';
import { loadOrCreateKeys, type RandomBytes, retireKey, rotateKeys } from './keys.ts';

/** A key as people may see it. `signs`: new tokens are signed by it. */
export interface KeyView {
  id: string;
  createdAt: number;
  signs: boolean;
}

export interface Keys {
  /** The newest first. */
  list(): Promise<KeyView[]>;
  /** A new key signs from now on; tokens of the others stay good. */
  rotate(): Promise<KeyView>;
  /** Tokens of this key are refused from now on, and connections that logged in by one end. */
  retire(id: string): Promise<void>;
}

/** Errors of all three: KeyError, and LogError where the brokers could not be told: they find out by themselves within a second or so. */
export function openKeys(path: string, control: ControlWriter, random: RandomBytes, now: () => number): Keys {
  let turn: Promise<unknown> = Promise.resolve();

  function change<T>(make: () => Promise<T>): Promise<T> {
    const done = turn.then(async () => {
      const made = await make();
      await control.append({ kind: 'keys', at: now() });
      return made;
    });
    turn = done.catch(() => {});
    return done;
  }

  return {
    async list() {
      const keys = await loadOrCreateKeys(path, random, now);
      return keys.map(({ id, createdAt }, i) => ({ id, createdAt, signs: i === 0 }));
    },
    rotate: () =>
      change(async () => {
        const { id, createdAt } = await rotateKeys(path, random, now);
        return { id, createdAt, signs: true };
      }),
    retire: (id) => change(() => retireKey(path, id, random)),
  };
}
