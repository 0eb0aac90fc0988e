/** What there is while one thing is measured. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Program, Server } from './process.ts';

export interface Scene {
  folder: string;
  /** Sees to it that something is stopped in the end. */
  own<T extends { stop(): Promise<void> }>(begun: T): T;
  /** Starts a server, its output in the folder; resolves when it can be used. */
  serve(program: Program): Promise<Server>;
}

/** Measures in a folder of its own. Afterwards what was begun is stopped, the last first, and the folder is gone. */
export async function withScene<T>(measure: (scene: Scene) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tillwatch-bench-'));
  const owned: { stop(): Promise<void> }[] = [];
  const scene: Scene = {
    folder,
    own(begun) {
      owned.push(begun);
      return begun;
    },
    async serve(program) {
      const server = scene.own(new Server(program, folder));
      await server.start();
      return server;
    },
  };
  try {
    return await measure(scene);
  } finally {
    for (const begun of owned.toReversed()) await begun.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
