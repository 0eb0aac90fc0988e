// `npm start`, `npm run demo` [-- what the command takes]: installs and builds what is missing or out of date, then runs the command.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { MAIN, prepare } from './prepare.mjs';

prepare();
const child = spawn(process.execPath, [MAIN, ...process.argv.slice(2)], { stdio: 'inherit' });
// Ctrl-C at a terminal reaches the child by itself, and twice would mean: at once.
process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.once('exit', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
});
