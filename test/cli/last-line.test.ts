import { expect, it, onTestFinished } from 'vitest';
import { openLastLine, type Terminal } from '../../cli/last-line.ts';

/** A last line that redraws itself by no clock, and what the terminal shows: its lines, the last without an end. */
function shownOn(terminal: Omit<Terminal, 'write'>) {
  const written: string[] = [];
  const last = openLastLine(3_600_000, { ...terminal, write: (text) => written.push(text) });
  onTestFinished(last.end);
  return { last, print: (line: string) => last.above(() => void written.push(`${line}\n`)), shown: () => screenOf(written.join('')) };
}

/** As a terminal reads it: what stands before "carriage return, clear the line" in a line is gone. */
function screenOf(text: string): string[] {
  return text.split('\n').map((line) => line.split('\r\x1b[K').at(-1)!);
}

it('stays below what is printed meanwhile', () => {
  const { last, print, shown } = shownOn({ isTTY: true, columns: 80 });

  last.show(() => '3 connected');
  print('a terminal cannot connect');
  print('stopping');

  expect(shown()).toEqual(['a terminal cannot connect', 'stopping', '3 connected']);
});

it('is cut to the width of the terminal, so that it never goes on in a line that nothing clears', () => {
  const { last, shown } = shownOn({ isTTY: true, columns: 20 });

  last.show(() => '12345678901234567890 and more');

  expect(shown()).toEqual(['1234567890123456789']);
});

it('leaves nothing behind at its end', () => {
  const { last, print, shown } = shownOn({ isTTY: true, columns: 80 });
  last.show(() => '3 connected');

  last.end();
  print('done');

  expect(shown()).toEqual(['done', '']);
});

it('writes nothing where there is no terminal', () => {
  const { last, print, shown } = shownOn({});

  last.show(() => '3 connected');
  print('stopping');

  expect(shown()).toEqual(['stopping', '']);
});
