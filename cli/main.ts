#!/usr/bin/env node
import { runCli } from './run.ts';

// What the product writes is for its own user alone, whichever library writes it.
process.umask(0o077);
process.exitCode = await runCli(process.argv.slice(2), {
  out: (line) => void process.stdout.write(`${line}\n`),
  say: (line) => void process.stderr.write(`${line}\n`),
  stdin: process.stdin,
  env: process.env,
});
