import type { Channel } from './topics.ts';

export interface Example {
  name: string;
  summary: string;
  payload: Readonly<Record<string, unknown>>;
}

const AT = 1_763_798_400_000;
const HEAD = { v: 1, session: '01JD9Q2V8W6T3K5M7N9P0R1S2T' };

const SAMPLE = {
  at: AT,
  signal: { rat: 'lte', rsrp: -101, rsrq: -11, sinr: 8, rssi: -71, mcc: '460', mnc: '00', lac: '9cba', cell: '76c6c' },
  radio: {
    seconds: 300,
    reads: 110,
    unknown: 2,
    rsrpMin: -112,
    rsrpP10: -108,
    rsrpMedian: -101,
    rsrpLast: -104,
    sinrP10: 1,
    sinrMedian: 8,
    rsrqMedian: -11,
    weakSeconds: 21,
    criticalSeconds: 0,
    noisySeconds: 4,
    cellChanges: 1,
    secondsByRat: { lte: 300 },
    risk: 0.08,
    moving: false,
  },
  bindings: { terminals: { bound: 7, limit: 10 }, peripherals: { bound: 3, limit: 4 } },
  outcomes: [
    { system: 'unionpay', code: '00', n: 12, card: 'debit', kind: 'sale' },
    { system: 'local', code: 'timeout', n: 1, card: 'debit', kind: 'sale' },
  ],
  sim: { usedBytes: 1_200_000 },
  place: { lat: 31.23, lon: 121.47, datum: 'wgs84', accuracy: 30 },
  power: { battery: 0.83, mains: true },
  link: { reconnects: 2, registrations: 1, connectedSeconds: 297 },
};

/** Messages as a terminal sends them and gets them, by channel: for the documents, which a test holds against the schemas. */
export const EXAMPLES: Readonly<Record<Channel, readonly Example[]>> = {
  birth: [
    {
      name: 'full',
      summary: 'A fixed terminal in a shop that is closed on Sundays and open past midnight on Saturdays',
      payload: {
        ...HEAD,
        at: AT,
        merchant: 'm-1001',
        site: 's-17',
        tid: '10000001',
        model: 'A920',
        app: '3.4.1',
        interval: 300,
        keepalive: 330,
        sparse: false,
        expected: {
          tz: 'Asia/Shanghai',
          week: ['09:00-21:00', '09:00-21:00', '09:00-21:00', '09:00-21:00', '08:00-12:00,14:00-20:00', '18:00-02:00', ''],
        },
        use: 'fixed',
        peripheralLimit: 4,
        sim: { iccid: '89860000000000000001', planBytes: 31_457_280, resetDay: 1 },
      },
    },
    { name: 'least', summary: 'A terminal that tells only which session this is', payload: { ...HEAD, at: AT } },
  ],
  report: [
    { name: 'sample', summary: 'One look at everything', payload: { ...HEAD, seq: 41, samples: [SAMPLE] } },
    {
      name: 'columns',
      summary: 'A batch in columns; null where a sample lacks the member',
      payload: {
        ...HEAD,
        seq: 42,
        at: [AT, AT + 300_000, AT + 600_000],
        cols: {
          'signal.rat': ['lte', 'lte', 'none'],
          'signal.rsrp': [-101, -104, null],
          outcomes: [[{ system: 'unionpay', code: '00', n: 3 }], null, null],
        },
      },
    },
  ],
  event: [
    {
      name: 'weakening',
      summary: 'The signal will not hold',
      payload: {
        ...HEAD,
        seq: 43,
        at: AT,
        type: 'coverage.weakening',
        data: { risk: 0.71, cause: 'weak_signal', cell: '460-00-9cba-76c6c', rsrp: -112, rsrq: -15, sinr: 1 },
      },
    },
    { name: 'shutdown', summary: 'Somebody switches the terminal off', payload: { ...HEAD, seq: 44, at: AT, type: 'shutdown' } },
  ],
  state: [
    { name: 'online', summary: 'Retained, after the birth', payload: { ...HEAD, at: AT, state: 'online' } },
    { name: 'goodbye', summary: 'Before a clean end', payload: { ...HEAD, at: AT, state: 'goodbye' } },
    { name: 'lost', summary: 'The Will, given at CONNECT', payload: { ...HEAD, state: 'lost' } },
  ],
  cmd: [
    {
      name: 'set_interval',
      summary: 'Report each minute from now on',
      payload: { v: 1, id: 'c-7f3a', type: 'set_interval', args: { seconds: 60 }, expires: AT + 3_600_000 },
    },
    { name: 'rebirth', summary: 'Tell again who you are', payload: { v: 1, id: 'c-7f3b', type: 'rebirth' } },
  ],
  ack: [
    { name: 'done', summary: 'The command was carried out', payload: { v: 1, id: 'c-7f3a', ok: true, error: null } },
    { name: 'failed', summary: 'It was not', payload: { v: 1, id: 'c-7f3b', ok: false, error: 'busy with an update' } },
  ],
};
