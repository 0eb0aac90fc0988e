/**
 * Loaded before a measured program: on SIGUSR2 it adds a line to a file, with the longest standstill of its event loop since the line
 * before, in milliseconds.
 */
import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();
process.on('SIGUSR2', () => {
  appendFileSync(process.env.STALLS_FILE, `${Math.max(0, delays.max / 1e6 - RESOLUTION_MS)}\n`);
  delays.reset();
});
