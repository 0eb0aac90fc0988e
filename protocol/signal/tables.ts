/**
 * The value tables of 3GPP TS 27.007: an index that a modem prints to dBm or dB. An index stands for an interval, and becomes its lower
 * edge; index 0, open below, becomes one step under its upper edge. Undefined where the index is none of the table's: 99, 127 and 255
 * are "not known or not detectable".
 */
type Table = (index: number | undefined) => number | undefined;

function table(first: number, step: number, last: number): Table {
  return (index) => (index !== undefined && Number.isInteger(index) && index >= 0 && index <= last ? first + step * index : undefined);
}

/** Clause 8.5 (+CSQ), dBm: 0 is -113 or less, 31 is -51 or more. */
export const csqRssi = table(-113, 2, 31);

/** Clause 8.69 (+CESQ), as are all that follow. `<rxlev>`, dBm: 1 is -110 to -109, 63 is -48 or more. */
export const rxlev = table(-111, 1, 63);

/** `<rscp>`, dBm: 1 is -120 to -119, 96 is -25 or more. */
export const rscp = table(-121, 1, 96);

/** `<ecno>`, dB: 1 is -24 to -23.5, 49 is 0 or more. */
export const ecno = table(-24.5, 0.5, 49);

/** `<rsrq>`, dB: 1 is -19.5 to -19, 34 is -3 or more. */
export const rsrq = table(-20, 0.5, 34);

/** `<rsrp>`, dBm: 1 is -140 to -139, 97 is -44 or more. */
export const rsrp = table(-141, 1, 97);

/** `<ss_rsrq>`, dB: 1 is -43 to -42.5. */
export const ssRsrq = table(-43.5, 0.5, 126);

/** `<ss_rsrp>`, dBm: 1 is -156 to -155, 126 is -31 or more. */
export const ssRsrp = table(-157, 1, 126);

/** `<ss_sinr>`, dB: 1 is -23 to -22.5. */
export const ssSinr = table(-23.5, 0.5, 126);
