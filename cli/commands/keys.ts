import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { openControlWriter } from '../../backbone/control.ts';
import { type Keys, type KeyView, openKeys } from '../../backbone/credentials/rotation.ts';
import { readSettings } from '../config.ts';
import { type Ask, runningApi } from '../installation.ts';
import type { Io } from '../io.ts';
import { openDataDir } from '../parts.ts';

/** The keys that sign terminals' tokens. */
export function keysCommand(program: Command, io: Io): void {
  const keys = program
    .command('keys')
    .description("the keys that sign terminals' tokens; while the product runs by its API, else in its files");

  keys
    .command('list')
    .description('the keys, the newest first: it signs new tokens, and tokens of all are good')
    .option('--json', 'one JSON document a line')
    .addHelpText('after', '\nExample:\n  tillwatch keys list')
    .action(({ json }: { json?: boolean }) =>
      withKeys(io, async (ring) => {
        for (const key of await ring.list()) io.out(json ? JSON.stringify(key) : keyLine(key));
      }),
    );

  keys
    .command('rotate')
    .description('make a new key, which signs from now on; tokens of the others stay good until those are retired')
    .option('--json', 'the key as JSON')
    .addHelpText('after', '\nExample:\n  tillwatch keys rotate')
    .action(({ json }: { json?: boolean }) =>
      withKeys(io, async (ring) => {
        const key = await ring.rotate();
        io.out(json ? JSON.stringify(key) : key.id);
        io.say('this key signs from now on: enroll terminals again, then retire the key before it');
      }),
    );

  keys
    .command('retire <id>')
    .description('refuse every token of a key from now on, and end the connections that logged in by one')
    .addHelpText('after', '\nExample:\n  tillwatch keys retire k1f3a5b7c9d0')
    .action((id: string) =>
      withKeys(io, async (ring) => {
        await ring.retire(id);
        io.say(`retired ${id}: its tokens are refused`);
      }),
    );
}

async function withKeys(io: Io, work: (keys: Keys) => Promise<void>): Promise<void> {
  const settings = readSettings(io.env);
  const ask = await runningApi(settings);
  if (ask) return work(keysOf(ask));
  const paths = await openDataDir(settings);
  const control = await openControlWriter(paths.controlLog);
  try {
    await work(openKeys(paths.keys, control, randomBytes, Date.now));
  } finally {
    await control.close();
  }
}

function keysOf(ask: Ask): Keys {
  return {
    list: async () => (await ask('GET', '/v1/keys')).items as KeyView[],
    rotate: async () => (await ask('POST', '/v1/keys')) as unknown as KeyView,
    retire: async (id) => void (await ask('DELETE', `/v1/keys/${encodeURIComponent(id)}`)),
  };
}

function keyLine({ id, createdAt, signs }: KeyView): string {
  return `${id}  ${new Date(createdAt).toISOString()}  ${signs ? 'signs' : 'verifies'}`;
}
