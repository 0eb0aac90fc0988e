import type { Rat, Signal } from '../schemas/sample.ts';
import { hexCode, knownSignal, numberIn, plmn, type Reading } from './known.ts';
import { qcsq, qeng } from './quectel.ts';
import * as tables from './tables.ts';

/** What a line of an answer tells; `registered` where it is about registration. */
type Told = Reading & { registered?: boolean | undefined };

const ANSWERS: Readonly<Record<string, (fields: readonly string[]) => Told>> = {
  '+CSQ': csq,
  '+CESQ': cesq,
  '+COPS': cops,
  '+CREG': registration,
  '+CGREG': registration,
  '+CEREG': registration,
  '+C5GREG': registration,
  '+QCSQ': qcsq,
  '+QENG': qeng,
};

/**
 * What a modem's answers to AT commands say of the radio: the text of one or several of AT+CSQ, AT+CESQ, AT+COPS?, AT+CREG?, AT+CGREG?,
 * AT+CEREG?, AT+C5GREG?, AT+QCSQ, AT+QENG="servingcell", in any order, echoes and all. Of two lines that tell the same, the later counts.
 * Registered nowhere, where any line tells, is `rat: none`. An unknown is absent; bit error rates have no place in a signal.
 */
export function atSignal(answers: string): Signal {
  const told = answers.split(/[\r\n]+/).map(tell);
  const reading: Reading = Object.assign({}, ...told.map(withoutUnknown));
  const registrations = told.flatMap((t) => t.registered ?? []);
  if (registrations.length > 0 && !registrations.includes(true)) reading.rat = 'none';
  return knownSignal(reading);
}

function tell(line: string): Told {
  const match = /^\s*(\+[A-Z0-9]+):\s*(.*?)\s*$/.exec(line);
  const answer = match ? ANSWERS[match[1]!] : undefined;
  return answer && match ? answer(fieldsOf(match[2]!)) : {};
}

function fieldsOf(text: string): string[] {
  return (text.match(/"[^"]*"|[^,]+|(?<=,)(?=,|$)/g) ?? []).map((field) => field.trim().replace(/^"|"$/g, ''));
}

function withoutUnknown(told: Told): Told {
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined));
}

/** TS 27.007 clause 8.5: `+CSQ: <rssi>,<ber>`. */
function csq([rssi]: readonly string[]): Told {
  return { rssi: tables.csqRssi(numberIn(rssi)) };
}

/**
 * TS 27.007 clause 8.69: `+CESQ: <rxlev>,<ber>,<rscp>,<ecno>,<rsrq>,<rsrp>[,<ss_rsrq>,<ss_rsrp>,<ss_sinr>]`. The radio that has values
 * is the serving one; where LTE and NR both have (EN-DC), the terminal is registered through LTE.
 */
function cesq(fields: readonly string[]): Told {
  const [rxlev, , rscp, ecno, rsrq, rsrp, ssRsrq, ssRsrp, ssSinr] = fields.map(numberIn);
  const lte = { rsrp: tables.rsrp(rsrp), rsrq: tables.rsrq(rsrq) };
  const nr = { rsrp: tables.ssRsrp(ssRsrp), rsrq: tables.ssRsrq(ssRsrq), sinr: tables.ssSinr(ssSinr) };
  const umts = { rscp: tables.rscp(rscp), ecno: tables.ecno(ecno) };
  const gsm = { rssi: tables.rxlev(rxlev) };
  const radios: readonly [Rat, Reading][] = [
    ['lte', lte],
    ['nr', nr],
    ['umts', umts],
    ['gsm', gsm],
  ];
  const serving = radios.find(([, values]) => Object.values(values).some((v) => v !== undefined));
  return serving ? { rat: serving[0], ...serving[1] } : {};
}

/** `<AcT>` of TS 27.007 clauses 7.2 and 7.3. */
const ACCESS_TECHNOLOGIES: readonly Rat[] = [
  'gsm', // 0 GSM
  'gsm', // 1 GSM compact
  'umts', // 2 UTRAN
  'gsm', // 3 GSM with EGPRS
  'umts', // 4 UTRAN with HSDPA
  'umts', // 5 UTRAN with HSUPA
  'umts', // 6 UTRAN with both
  'lte', // 7 E-UTRAN
  'gsm', // 8 EC-GSM-IoT
  'lte', // 9 E-UTRAN (NB-S1)
  'lte', // 10 E-UTRA at a 5G core
  'nr', // 11 NR at a 5G core
  'nr', // 12 NG-RAN
  'lte', // 13 E-UTRA and NR in dual connectivity: registered through E-UTRA
];

function accessTechnology(field: string | undefined): Rat | undefined {
  return ACCESS_TECHNOLOGIES[numberIn(field) ?? -1];
}

/** TS 27.007 clause 7.3: `+COPS: <mode>[,<format>,<oper>[,<AcT>]]`; format 2 names the operator by its numbers. */
function cops([, format, operator, act]: readonly string[]): Told {
  return { ...(format === '2' ? plmn(operator) : {}), rat: accessTechnology(act) };
}

/** `<stat>` of TS 27.007 clause 7.2; 4 is unknown. */
const REGISTERED: readonly (boolean | undefined)[] = [false, true, false, false, undefined, true, true, true, false, true, true];

/**
 * TS 27.007 clauses 7.2, 10.1.20, 10.1.22 and 10.1.47: `+CREG: <n>,<stat>[,<lac>,<ci>[,<AcT>]]`, or unasked for
 * `+CREG: <stat>[,<lac>,<ci>[,<AcT>]]`. +C5GREG puts an `<Allowed_NSSAI_length>` after the AcT, +CEREG a cause: both stay unread.
 */
function registration(fields: readonly string[]): Told {
  const isAsked = fields.length > 1 && /^\d$/.test(fields[0]!) && /^\d{1,2}$/.test(fields[1]!);
  const [stat, lac, cell, act] = isAsked ? fields.slice(1) : fields;
  const registered = REGISTERED[numberIn(stat) ?? -1];
  if (registered !== true) return { registered };
  return { registered, lac: hexCode(lac), cell: hexCode(cell), rat: accessTechnology(act) };
}
