/** How many live terminals a machine carries, and what limits them. Entries for a file know no such limit. */
import { MACHINE } from './ranges.ts';

/** What is known of a machine; Infinity where nothing is. */
export interface Machine {
  /** Files that one process may have open. */
  openFiles: number;
  /** Memory that may be had, bytes. */
  freeBytes: number;
  /** Local ports for connections to one address. */
  ports: number;
}

export interface Capacity {
  terminals: number;
  /** What there is too little of, and what to do. */
  why: string;
}

export function capacityOf({ openFiles, freeBytes, ports }: Machine): Capacity {
  const limits: Capacity[] = [
    {
      terminals: openFiles - MACHINE.descriptorsOfProcess,
      why: `a process may have ${openFiles} files open here: raise it with "ulimit -n"`,
    },
    {
      terminals: Math.floor((freeBytes - MACHINE.bytesOfProcess) / MACHINE.bytesPerTerminal),
      why: `${Math.round(freeBytes / 1e6)} MB of memory are free, and a terminal takes ${MACHINE.bytesPerTerminal / 1000} kB`,
    },
    { terminals: ports, why: `there are ${ports} local ports for connections to one broker: widen net.ipv4.ip_local_port_range` },
  ];
  const least = limits.reduce((a, b) => (b.terminals < a.terminals ? b : a));
  return { ...least, terminals: Math.max(0, least.terminals) };
}
