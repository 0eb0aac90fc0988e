import { describe, expect, it } from 'vitest';
import { createLines } from '../../../broker/front/lines.ts';

function filled() {
  const lines = createLines<string>();
  for (let i = 0; i < 1_000; i += 1) lines.join('storm', `storm ${i}`);
  for (const entry of ['quiet 0', 'quiet 1']) lines.join('quiet', entry);
  const served: string[] = [];
  const serve = (count: number, mayGo = (_: string) => true) => lines.serve(count, mayGo, (entry) => served.push(entry));
  return { lines, served, serve };
}

describe('lines', () => {
  it('serve acquirers in turn, however many wait of one of them, and also where that is spread over several times', () => {
    const { served, serve } = filled();
    serve(3);
    serve(2);
    expect(served).toEqual(['storm 0', 'quiet 0', 'storm 1', 'quiet 1', 'storm 2']);
  });

  it('pass over an acquirer that may not go on', () => {
    const { served, serve } = filled();
    serve(10, (acquirer) => acquirer === 'quiet');
    expect(served).toEqual(['quiet 0', 'quiet 1']);
  });

  it('take no more than asked for, also where each that is served comes back at once', () => {
    const { lines } = filled();
    let served = 0;
    lines.serve(
      5_000,
      () => true,
      () => {
        served += 1;
        lines.join('storm', 'again');
      },
    );
    expect(served).toBe(5_000);
  });

  it('forget who left', () => {
    const { lines, served, serve } = filled();
    lines.leave('quiet', 'quiet 0');
    serve(4);
    expect(served).toEqual(['storm 0', 'quiet 1', 'storm 1', 'storm 2']);
  });
});
