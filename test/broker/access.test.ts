import { describe, expect, it } from 'vitest';
import { parseUser } from '../../backbone/credentials/users.ts';
import { mayPublish, mayReceive, maySubscribe } from '../../broker/access.ts';

const terminal = parseUser('acme/SN000001')!;
const noc = parseUser('noc:grafana')!;
const reasonOf = (verdict: { ok: boolean; reason?: string }) => (verdict.ok ? 'ok' : verdict.reason);

describe('publishing', () => {
  it.each([
    ['pos/v1/acme/SN000001/birth', 'ok'],
    ['pos/v1/acme/SN000001/report', 'ok'],
    ['pos/v1/acme/SN000001/event', 'ok'],
    ['pos/v1/acme/SN000001/state', 'ok'],
    ['pos/v1/acme/SN000001/ack', 'ok'],
    ['pos/v1/acme/SN000001/cmd', 'wrong_way'],
    ['pos/v1/acme/SN000002/report', 'foreign_topic'],
    ['pos/v1/other/SN000001/report', 'foreign_topic'],
    ['pos/v1/acme/SN000001/nonsense', 'not_our_topic'],
    ['pos/v1/acme/SN000001/report/more', 'not_our_topic'],
    ['pos/v1/acme/SN000001', 'not_our_topic'],
    ['/pos/v1/acme/SN000001/report', 'not_our_topic'],
    ['pos/v2/acme/SN000001/report', 'not_our_topic'],
    ['POS/v1/acme/SN000001/report', 'not_our_topic'],
    ['$SYS/node-1/heartbeat', 'reserved_topic'],
    ['$SYS/', 'reserved_topic'],
    ['', 'not_our_topic'],
    ['pos/v1/acme/SN000001/constructor', 'not_our_topic'],
  ])('a terminal to %s: %s', (topic, expected) => {
    expect(reasonOf(mayPublish(terminal, topic))).toBe(expected);
  });

  it.each([
    ['pos/v1/acme/SN000001/report', 'read_only'],
    ['pos/v1/acme/SN000001/cmd', 'wrong_way'],
    ['$SYS/x', 'reserved_topic'],
    ['anything', 'not_our_topic'],
  ])('a monitoring tool to %s: %s', (topic, expected) => {
    expect(reasonOf(mayPublish(noc, topic))).toBe(expected);
  });
});

describe('subscribing', () => {
  it.each([
    ['pos/v1/acme/SN000001/cmd', 'ok'],
    ['pos/v1/acme/SN000002/cmd', 'foreign_topic'],
    ['pos/v1/other/SN000001/cmd', 'foreign_topic'],
    ['pos/v1/acme/SN000001/report', 'wrong_way'],
    ['pos/v1/acme/SN000001/+', 'wildcard'],
    ['pos/v1/acme/+/cmd', 'wildcard'],
    ['pos/v1/acme/SN000001/#', 'wildcard'],
    ['#', 'wildcard'],
    ['$SYS/#', 'wildcard'],
    ['$SYS/node-1/heartbeat', 'reserved_topic'],
    ['other', 'not_our_topic'],
  ])('a terminal to %s: %s', (filter, expected) => {
    expect(reasonOf(maySubscribe(terminal, filter))).toBe(expected);
  });

  it.each([
    ['pos/v1/#', 'ok'],
    ['pos/v1/acme/#', 'ok'],
    ['pos/v1/+/+/state', 'ok'],
    ['pos/v1/acme/SN000001/report', 'ok'],
    ['$SYS/#', 'ok'],
    ['#', 'not_our_topic'],
    ['+/v1/#', 'not_our_topic'],
    ['pos/#', 'not_our_topic'],
    ['$share/group/pos/v1/#', 'not_our_topic'],
  ])('a monitoring tool to %s: %s', (filter, expected) => {
    expect(reasonOf(maySubscribe(noc, filter))).toBe(expected);
  });
});

describe('receiving', () => {
  it('a terminal is sent its own commands and nothing else', () => {
    expect(mayReceive(terminal, 'pos/v1/acme/SN000001/cmd')).toBe(true);
    expect(mayReceive(terminal, 'pos/v1/acme/SN000002/cmd')).toBe(false);
    expect(mayReceive(terminal, 'pos/v1/acme/SN000001/report')).toBe(false);
  });

  it('a monitoring tool is sent what terminals say, and no command, which may carry a credential', () => {
    expect(mayReceive(noc, 'pos/v1/acme/SN000001/report')).toBe(true);
    expect(mayReceive(noc, '$SYS/node-1/heartbeat')).toBe(true);
    expect(mayReceive(noc, 'pos/v1/acme/SN000001/cmd')).toBe(false);
  });
});
