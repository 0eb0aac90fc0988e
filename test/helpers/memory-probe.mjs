// Loaded into a process beside its own program: on SIGUSR2 it says how many bytes are in use once all garbage is gone.
process.on('SIGUSR2', () => {
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  process.stderr.write(`memory in use: ${heapUsed + arrayBuffers}\n`);
});
