import { expect, it } from 'vitest';
import { ownName } from '../../cli/self.ts';

it.each([
  [{ npm_execpath: '/usr/lib/npm/bin/npm-cli.js', npm_lifecycle_event: 'demo' }, 'npx tillwatch'],
  [{ npm_execpath: '/usr/lib/npm/bin/npx-cli.js', npm_command: 'exec' }, 'npx tillwatch'],
  [{}, 'tillwatch'],
])('a command that is printed begins with what this one was started by (%j)', (env, name) => {
  expect(ownName(env)).toBe(name);
});
