import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Influx, startInflux } from './influx.ts';
import { lacks } from './servers.ts';

describe.skipIf(lacks('influxd'))('startInflux', () => {
  let influx: Influx;
  beforeAll(async () => {
    influx = await startInflux();
  });
  afterAll(() => influx?.stop());

  it('keeps what was written through kill and restart', async () => {
    const path = `${influx.url}/api/v2/write?org=${influx.org}&bucket=${influx.bucket}&precision=ms`;
    const body = 'm,a=b f=1,s="x\ny",t=true 1763798400000';
    const answer = await fetch(path, { method: 'POST', headers: { authorization: `Token ${influx.token}` }, body });
    const firstPid = influx.pid;

    await influx.end('SIGKILL');
    await influx.restart();
    const rows = await influx.query(
      `from(bucket: "${influx.bucket}") |> range(start: 0) |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")`,
    );

    expect(answer.status).toBe(204);
    expect(influx.pid).not.toBe(firstPid);
    expect(await influx.points('m')).toEqual([
      { measurement: 'm', tags: { a: 'b' }, fields: { f: 1, s: 'x\ny', t: true }, time: '2025-11-22T08:00:00Z' },
    ]);
    expect(rows).toEqual([expect.objectContaining({ _time: '2025-11-22T08:00:00Z', a: 'b', f: 1, s: 'x\ny', t: true })]);
  });
});
