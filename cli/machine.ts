import { readFile } from 'node:fs/promises';
import { freemem } from 'node:os';

/** What limits connections on this machine; Infinity where the system does not say (anywhere but on Linux). */
export async function thisMachine(): Promise<{ openFiles: number; freeBytes: number; ports: number }> {
  const [limits, range, memory] = await Promise.all(
    ['/proc/self/limits', '/proc/sys/net/ipv4/ip_local_port_range', '/proc/meminfo'].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  const [first, last] = range!.trim().split(/\s+/).map(Number);
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(memory!)?.[1];
  return {
    openFiles: numberIn(/^Max open files\s+(\d+)/m.exec(limits!)?.[1]),
    freeBytes: available === undefined ? freemem() : Number(available) * 1024,
    ports: first && last ? last - first + 1 : Number.POSITIVE_INFINITY,
  };
}

function numberIn(text: string | undefined): number {
  return text === undefined ? Number.POSITIVE_INFINITY : Number(text);
}
