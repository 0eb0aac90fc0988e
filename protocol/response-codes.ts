/**
 * What payment switches and terminals answer, and what each answer says of whom. The key is (system, code), never the code alone.
 * Source: response-codes.csv, the product's table: UnionPay's answer codes with its action classes (A success; failures: B try
 * again, C do not try again, D the operator must act, E the system failed), and `local` for what never got an answer.
 */
export const FAILURE_CLASSES = [
  'success',
  'success_uncertain',
  'terminal_binding',
  'merchant_config',
  'service_scope',
  'card',
  'terminal_capability',
  'terminal_state',
  'security_key',
  'security',
  'software',
  'operator',
  'host',
  'network_host',
  'issuer',
  'cardholder',
  'fraud',
  'network_path',
  'coverage',
  'terminal_hardware',
] as const;
export type FailureClass = (typeof FAILURE_CLASSES)[number];

/** Whom a code condemns, and how it counts: at once, repeated, as a rate, or not at all. */
export const ALERT_SCOPES = [
  'none',
  'count',
  'terminal',
  'merchant',
  'merchant_rate',
  'terminal_scope',
  'rate',
  'issuer_rate',
  'terminal_rate',
  'terminal_repeat',
  'app_version_rate',
  'route_rate',
  'fleet_rate',
  'expected',
  'site_rate',
] as const;
export type AlertScope = (typeof ALERT_SCOPES)[number];

export type ActionClass = 'A' | 'B' | 'C' | 'D' | 'E';

export interface ResponseCode {
  system: string;
  code: string;
  meaning: string;
  /** Null where the switch had no say. */
  actionClass: ActionClass | null;
  failureClass: FailureClass;
  alertScope: AlertScope;
}

type Row = readonly [system: string, code: string, meaning: string, ActionClass | null, FailureClass, AlertScope];

const ROWS: readonly Row[] = [
  ['unionpay', '00', 'approved', 'A', 'success', 'none'],
  ['unionpay', '10', 'partial amount approved', 'A', 'success', 'none'],
  ['unionpay', '11', 'approved (VIP)', 'A', 'success', 'none'],
  ['unionpay', '16', 'approved, update track 3', 'A', 'success', 'none'],
  ['unionpay', 'A2', 'defective success (issuer reply missing)', 'A', 'success_uncertain', 'count'],
  ['unionpay', 'A4', 'defective success (issuer reply missing)', 'A', 'success_uncertain', 'count'],
  ['unionpay', '97', 'terminal number not found: not registered with the centre or the bank', 'D', 'terminal_binding', 'terminal'],
  ['unionpay', '03', 'invalid merchant: not registered, wrong MCC or blacklisted', 'C', 'merchant_config', 'merchant'],
  ['unionpay', '60', 'contact the acquirer', 'C', 'merchant_config', 'merchant_rate'],
  ['unionpay', '58', 'transaction not permitted to this terminal or merchant', 'C', 'service_scope', 'terminal_scope'],
  ['unionpay', '57', 'transaction not permitted to this cardholder', 'C', 'service_scope', 'rate'],
  ['unionpay', '40', 'function or transaction type not supported', 'C', 'service_scope', 'terminal_scope'],
  ['unionpay', '12', 'invalid transaction or not supported by the issuer', 'C', 'service_scope', 'rate'],
  ['unionpay', '15', 'no such issuer', 'C', 'service_scope', 'issuer_rate'],
  ['unionpay', '31', 'issuer not connected to the switch', 'C', 'service_scope', 'issuer_rate'],
  ['unionpay', '93', 'cannot complete: violation of law', 'C', 'service_scope', 'rate'],
  ['unionpay', '62', 'restricted card', 'C', 'card', 'none'],
  ['unionpay', '45', 'fallback not allowed: insert the chip', null, 'terminal_capability', 'terminal_rate'],
  ['unionpay', '77', 'POS batch differs from the centre: sign in again', 'D', 'terminal_state', 'terminal_repeat'],
  ['unionpay', '22', 'POS state differs from the centre: sign in again', 'C', 'terminal_state', 'terminal_repeat'],
  ['unionpay', '79', 'offline data does not reconcile: resend', 'C', 'terminal_state', 'terminal_repeat'],
  ['unionpay', '99', 'PIN format error: sign in again', 'B', 'security_key', 'terminal_repeat'],
  ['unionpay', 'A0', 'MAC check failed: sign in again', 'B', 'security_key', 'terminal_repeat'],
  ['unionpay', '63', 'security violation', 'C', 'security', 'terminal'],
  ['unionpay', '30', 'format error', 'C', 'software', 'app_version_rate'],
  ['unionpay', '13', 'invalid amount', 'B', 'operator', 'rate'],
  ['unionpay', '64', 'original amount incorrect', 'C', 'operator', 'rate'],
  ['unionpay', '25', 'original transaction not found', 'C', 'host', 'rate'],
  ['unionpay', '94', 'duplicate transaction', 'C', 'host', 'rate'],
  ['unionpay', '68', 'issuer did not answer in time', 'C', 'network_host', 'issuer_rate'],
  ['unionpay', '91', 'issuer or switch inoperative', 'C', 'network_host', 'issuer_rate'],
  ['unionpay', '92', 'institution or network facility unreachable', 'C', 'network_host', 'route_rate'],
  ['unionpay', '96', 'system malfunction at the centre or issuer', 'C', 'network_host', 'fleet_rate'],
  ['unionpay', '98', 'switch got no answer from the issuer', 'E', 'network_host', 'issuer_rate'],
  ['unionpay', '90', 'day cut-over in progress', 'C', 'network_host', 'expected'],
  ['unionpay', '06', 'issuer error', 'E', 'network_host', 'rate'],
  ['unionpay', '09', 'request in progress', 'B', 'network_host', 'rate'],
  ['unionpay', '01', 'refer to the issuer', 'C', 'issuer', 'none'],
  ['unionpay', '02', 'refer to the issuer (special)', 'C', 'issuer', 'none'],
  ['unionpay', '05', 'not honoured', 'C', 'issuer', 'none'],
  ['unionpay', '20', 'invalid response', 'C', 'issuer', 'none'],
  ['unionpay', '21', 'no action taken', 'C', 'issuer', 'none'],
  ['unionpay', '23', 'unacceptable fee', 'C', 'issuer', 'none'],
  ['unionpay', '14', 'invalid card number', 'C', 'card', 'none'],
  ['unionpay', '33', 'expired card (capture)', 'C', 'card', 'none'],
  ['unionpay', '54', 'expired card', 'C', 'card', 'none'],
  ['unionpay', '56', 'no card record', 'C', 'card', 'none'],
  ['unionpay', '52', 'no such cheque account', 'C', 'card', 'none'],
  ['unionpay', '53', 'no such savings account', 'C', 'card', 'none'],
  ['unionpay', '42', 'no such account', 'C', 'card', 'none'],
  ['unionpay', '39', 'no credit account', 'C', 'card', 'none'],
  ['unionpay', '44', 'no investment account', 'C', 'card', 'none'],
  ['unionpay', '51', 'insufficient funds', 'C', 'cardholder', 'none'],
  ['unionpay', '55', 'wrong PIN', 'C', 'cardholder', 'none'],
  ['unionpay', '61', 'exceeds withdrawal amount limit', 'C', 'cardholder', 'none'],
  ['unionpay', '65', 'exceeds withdrawal count limit', 'C', 'cardholder', 'none'],
  ['unionpay', '75', 'PIN tries exceeded', 'C', 'cardholder', 'none'],
  ['unionpay', '38', 'PIN tries exceeded (capture)', 'D', 'cardholder', 'none'],
  ['unionpay', '04', 'capture card', 'D', 'fraud', 'site_rate'],
  ['unionpay', '07', 'capture card (special)', 'D', 'fraud', 'site_rate'],
  ['unionpay', '34', 'suspected fraud', 'D', 'fraud', 'site_rate'],
  ['unionpay', '35', "contact acquirer's security", 'D', 'fraud', 'site_rate'],
  ['unionpay', '36', 'restricted card (capture)', 'D', 'fraud', 'site_rate'],
  ['unionpay', '37', "call acquirer's security", 'D', 'fraud', 'site_rate'],
  ['unionpay', '41', 'lost card', 'D', 'fraud', 'site_rate'],
  ['unionpay', '43', 'stolen card', 'D', 'fraud', 'site_rate'],
  ['unionpay', '59', 'suspected fraud', 'C', 'fraud', 'site_rate'],
  ['unionpay', '66', "contact acquirer's security", 'C', 'fraud', 'site_rate'],
  ['unionpay', '67', 'capture card (hard)', 'D', 'fraud', 'site_rate'],
  ['local', 'timeout', "no answer before the terminal's timeout: a reversal follows", null, 'network_path', 'terminal_rate'],
  ['local', 'reversal', 'a reversal was sent', null, 'network_path', 'terminal_rate'],
  ['local', 'connect', 'TCP connect failed', null, 'network_path', 'terminal_rate'],
  ['local', 'dns', 'name did not resolve', null, 'network_path', 'terminal_rate'],
  ['local', 'tls', 'TLS handshake failed', null, 'network_path', 'terminal_rate'],
  ['local', 'no_carrier', 'no packet-data bearer', null, 'coverage', 'terminal_rate'],
  ['local', 'sim', 'SIM missing or refused', null, 'terminal_state', 'terminal_repeat'],
  ['local', 'reader', 'card reader fault', null, 'terminal_hardware', 'terminal_repeat'],
  ['local', 'printer', 'printer fault', null, 'terminal_hardware', 'terminal_repeat'],
  ['local', 'tamper', 'tamper triggered', null, 'security', 'terminal'],
  ['local', 'v1_not_allowed', 'terminal shows V1: transaction not allowed', null, 'service_scope', 'terminal_scope'],
];

export const RESPONSE_CODES: readonly ResponseCode[] = ROWS.map(([system, code, meaning, actionClass, failureClass, alertScope]) => ({
  system,
  code,
  meaning,
  actionClass,
  failureClass,
  alertScope,
}));

/** `known: false`: nothing may be concluded from the code, neither success nor failure. */
export type LookUp = ({ known: true } & ResponseCode) | { known: false; system: string; code: string };

const bySystem = new Map<string, Map<string, LookUp>>();
for (const row of RESPONSE_CODES) {
  const codes = bySystem.get(row.system) ?? new Map<string, LookUp>();
  bySystem.set(row.system, codes.set(row.code, { known: true, ...row }));
}

/** What a system's code means. Codes are compared as they are written: `00` is not `0`, `a0` is not `A0`. */
export function lookUp(system: string, code: string): LookUp {
  return bySystem.get(system)?.get(code) ?? { known: false, system, code };
}
