import { hexCode, numberIn, type Reading } from './known.ts';

/**
 * Quectel's `+QCSQ: "LTE",-71,-101,140,-11` (AT commands manuals of EC2x, EG9x, BG9x). The SINR is left out: modules print it as dB or
 * in fifths of a dB over -20 dB, and their answer does not say which.
 */
export function qcsq([mode, ...values]: readonly string[]): Reading {
  const [first, second, third, fourth] = values.map(numberIn);
  switch (mode) {
    case 'NOSERVICE':
      return { rat: 'none' };
    case 'GSM':
      return { rat: 'gsm', rssi: first };
    case 'WCDMA':
      return { rat: 'umts', rssi: first, rscp: second, ecno: third };
    case 'LTE':
    case 'CAT-M1':
    case 'eMTC':
      return { rat: 'lte', rssi: first, rsrp: second, rsrq: fourth };
    default:
      return {};
  }
}

/**
 * Quectel's `+QENG: "servingcell",…` (same manuals; RG50xQ for NR5G-SA). Of a serving cell without service (SEARCH, LIMSRV) only that
 * is told. The SINR of LTE is left out as in +QCSQ; that of NR5G-SA is in dB.
 */
export function qeng([kind, state, rat, ...f]: readonly string[]): Reading {
  if (kind !== 'servingcell') return {};
  if (state === 'SEARCH' || state === 'LIMSRV') return { rat: 'none' };
  const n = (i: number) => numberIn(f[i]);
  switch (rat) {
    case 'GSM':
      return { rat: 'gsm', mcc: f[0], mnc: f[1], lac: hexCode(f[2]), cell: hexCode(f[3]) };
    case 'WCDMA':
      return { rat: 'umts', mcc: f[0], mnc: f[1], lac: hexCode(f[2]), cell: hexCode(f[3]), rscp: n(7), ecno: n(8) };
    case 'LTE':
    case 'CAT-M':
    case 'eMTC':
      return { rat: 'lte', mcc: f[1], mnc: f[2], cell: hexCode(f[3]), lac: hexCode(f[9]), rsrp: n(10), rsrq: n(11), rssi: n(12) };
    case 'NR5G-SA':
      return { rat: 'nr', mcc: f[1], mnc: f[2], cell: hexCode(f[3]), lac: hexCode(f[5]), rsrp: n(9), rsrq: n(10), sinr: n(11) };
    default:
      return {};
  }
}
