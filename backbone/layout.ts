import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** Where everything is in the data folder. */
export function layout(dataDir: string) {
  const at = (...names: string[]) => join(resolve(dataDir), ...names);
  return {
    root: at(),
    brokersLog: at('logs', 'brokers'),
    ownerLog: at('logs', 'owner'),
    controlLog: at('logs', 'control'),
    /** LMDB: the watch's state, the feed's state, quarantine. */
    state: at('state'),
    store: at('store.duckdb'),
    keys: at('keys.json'),
    adminToken: at('admin-token'),
    /** Held by what runs over this folder. */
    lock: at('lock'),
    /** The addresses of what runs, for commands that talk to it. */
    runtime: at('runtime.json'),
  };
}

export type Layout = ReturnType<typeof layout>;

export class DataDirError extends Error {
  constructor(dataDir: string, problem: string, cause?: Error) {
    super(`the data folder ${resolve(dataDir)} ${problem}`, { cause });
    this.name = 'DataDirError';
  }
}

const WRITABLE_BY_OTHERS = 0o022;

/**
 * Makes the data folder where it is missing, for its owner alone. One that is there keeps its mode, and is refused where others could
 * put files into it. Errors: DataDirError.
 */
export async function prepareDataDir(dataDir: string): Promise<Layout> {
  const paths = layout(dataDir);
  const mode = await usable(paths.root).catch((cause: NodeJS.ErrnoException) => {
    const problem = `cannot be used (${cause.code ?? cause.message}): give another in TILLWATCH_DATA_DIR, or make it writable`;
    throw new DataDirError(dataDir, problem, cause);
  });
  if ((mode & WRITABLE_BY_OTHERS) !== 0) {
    const problem = `may be written by others than its owner (mode ${(mode & 0o7777).toString(8)}): chmod 700 it, or give another in TILLWATCH_DATA_DIR`;
    throw new DataDirError(dataDir, problem);
  }
  return paths;
}

/** The mode of the folder, which this call makes where it is missing. */
async function usable(path: string): Promise<number> {
  await makeFolder(path);
  await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  return (await stat(path)).mode;
}

/** One by one: a recursive mkdir never ends where the system takes no folder, as in /proc. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || (await exists(dirname(path)))) throw error;
    await makeFolder(dirname(path));
    await makeFolder(path);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
