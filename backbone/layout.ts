import { constants } from 'node:fs';
import { access, chmod, mkdir, stat } from 'node:fs/promises';
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
  constructor(dataDir: string, cause: NodeJS.ErrnoException) {
    super(
      `the data folder ${resolve(dataDir)} cannot be used (${cause.code ?? cause.message}): give another in TILLWATCH_DATA_DIR, or make it writable`,
      {
        cause,
      },
    );
    this.name = 'DataDirError';
  }
}

/** Makes the data folder where it is missing, for its owner alone. Errors: DataDirError. */
export async function prepareDataDir(dataDir: string): Promise<Layout> {
  const paths = layout(dataDir);
  try {
    await makeFolder(paths.root);
    await chmod(paths.root, 0o700);
    await access(paths.root, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new DataDirError(dataDir, cause as NodeJS.ErrnoException);
  }
  return paths;
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
