import { describe, expect, it } from 'vitest';
import { wirelessSignal } from '../../../protocol/signal/wireless.ts';

const HEAD = `Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
`;
const line = (name: string, link: string, level: string, noise: string) =>
  ` ${name}: 0000   ${link}  ${level}  ${noise}        0      0      0      0      0        0\n`;

describe('wirelessSignal', () => {
  it('reads level and noise', () => {
    expect(wirelessSignal(HEAD + line('wlan0', '54.', '-56.', '-92.'))).toEqual({ rat: 'wifi', rssi: -56, noise: -92 });
  });

  it('leaves out a noise of -256', () => {
    expect(wirelessSignal(HEAD + line('wlan0', '54.', '-56.', '-256'))).toEqual({ rat: 'wifi', rssi: -56 });
  });

  it.each([['0'], ['0.'], ['200.'], ['-256']])('says nothing of a level of %s', (level) => {
    expect(wirelessSignal(HEAD + line('wlan0', '0.', level, '-256'))).toEqual({});
  });

  it('takes the first interface that has a level', () => {
    expect(wirelessSignal(HEAD + line('p2p0', '0.', '0.', '0.') + line('wlan0', '54.', '-70.', '-256'))).toEqual({
      rat: 'wifi',
      rssi: -70,
    });
  });

  it('says nothing where there is no interface', () => {
    expect(wirelessSignal(HEAD)).toEqual({});
    expect(wirelessSignal('')).toEqual({});
  });
});
