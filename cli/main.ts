#!/usr/bin/env node
import { once } from 'node:events';
import { runCli } from './run.ts';

// Whoever read our output has seen enough: `tillwatch alerts replay … | head -1`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
// What the product writes is for its own user alone, whichever library writes it.
process.umask(0o077);

/** A write of a few lines costs as much as one of many, bytes. */
const CHUNK = 1 << 16;

async function pour(lines: Iterable<string>): Promise<void> {
  let chunk = '';
  for (const line of lines) {
    chunk += `${line}\n`;
    if (chunk.length < CHUNK) continue;
    if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
    chunk = '';
  }
  process.stdout.write(chunk);
}

process.exitCode = await runCli(process.argv.slice(2), {
  out: (line) => void process.stdout.write(`${line}\n`),
  pour,
  say: (line) => void process.stderr.write(`${line}\n`),
  stdin: process.stdin,
  env: process.env,
  ...(process.stderr.isTTY && { progress: (text) => void process.stderr.write(`\r\x1b[K${text}`) }),
});
