/** The servers that measurements need, provided where they are missing. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface BenchServers {
  influxd: string;
  telegraf: string;
  mosquitto: string;
}

/** Errors: throws where one cannot be had; what to do about it is on standard error then. */
export function benchServers(): BenchServers {
  const script = fileURLToPath(new URL('../../scripts/servers.mjs', import.meta.url));
  const { stdout } = spawnSync(process.execPath, [script, '--bench', '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, CI: '' },
  });
  const { influxd, telegraf, mosquitto } = JSON.parse(stdout) as Record<keyof BenchServers, string | null>;
  if (!influxd || !telegraf || !mosquitto) throw new Error('a server that this measurement needs is missing');
  return { influxd, telegraf, mosquitto };
}
