import type { Sample } from '../../protocol/schemas/sample.ts';

const T = 1_763_798_400_000;

/** A sample as decoding gives it, of about the benchmarks' 400 bytes. */
export function benchSample(n: number): Sample {
  return JSON.parse(
    `{"at":${T + 20 * n},"signal":{"rat":"lte","rsrp":-${90 + (n % 30)},"rsrq":-11,"sinr":8,"rssi":-71,"mcc":"460","mnc":"00","lac":"9cba",` +
      `"cell":"76c6c"},"bindings":{"terminals":{"bound":7,"limit":10},"peripherals":{"bound":3,"limit":4}},` +
      `"outcomes":[{"system":"unionpay","code":"00","n":12,"card":"debit","kind":"sale"}],"power":{"battery":0.83,"mains":true}}`,
  );
}
