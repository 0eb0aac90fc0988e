import { describe, expect, it } from 'vitest';
import { capacityOf } from '../../simulator/capacity.ts';

const LARGE = { openFiles: 1_000_000, freeBytes: 1e12, ports: 1_000_000 };

describe('what a machine carries', () => {
  it.each([
    { scarce: { openFiles: 1024 }, most: 960, why: /1024 files open.*ulimit -n/ },
    { scarce: { freeBytes: 550e6 }, most: 10_000, why: /550 MB of memory/ },
    { scarce: { ports: 28_232 }, most: 28_232, why: /28232 local ports.*ip_local_port_range/ },
    { scarce: { openFiles: 10 }, most: 0, why: /10 files/ },
  ])('is limited by what there is least of, which is named ($why)', ({ scarce, most, why }) => {
    const capacity = capacityOf({ ...LARGE, ...scarce });

    expect(capacity.terminals).toBe(most);
    expect(capacity.why).toMatch(why);
  });
});
