/** Topics, filters and names, as texts and as the bytes that the front compares. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { it } from 'vitest';
import { parseUser, type User } from '../../backbone/credentials/users.ts';
import { mayPublish, mayReceive, maySubscribe } from '../../broker/access.ts';
import { createAudience } from '../../broker/front/audience.ts';
import { laneAt, lanesOf } from '../../broker/front/own-publish.ts';
import { isUpChannel, parseTopic, topicOf } from '../../protocol/topics.ts';
import type { Budget } from './budget.ts';
import { applied, damage } from './json-text.ts';

const OWN = parseUser('acme/SN000001') as User & { kind: 'terminal' };
const NOC = parseUser('noc:grafana')!;
const REPORT = 'pos/v1/acme/SN000001/report';
const LANES = lanesOf('node-1', OWN);

const level = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('pos', 'v1', 'acme', 'SN000001', 'report', 'event', 'ack', 'birth', 'state', 'cmd') },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '',
      '+',
      '#',
      '$SYS',
      '\0',
      '\u0000report',
      '..',
      '%2f',
      'SN000002',
      'bank',
      'ACME',
      '__proto__',
      'constructor',
      '\ufeff',
      'ＳＮ000001',
      'é',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
);
const text = fc.oneof(
  { weight: 60, arbitrary: fc.array(level, { maxLength: 8 }).map((levels) => levels.join('/')) },
  {
    weight: 30,
    arbitrary: fc.tuple(fc.nat(5), level).map(([at, other]) =>
      'pos/v1/acme/SN000001/report'
        .split('/')
        .with(at % 5, other)
        .join('/'),
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('/'.repeat(65_535), 'x'.repeat(65_535), `pos/v1/acme/SN000001/${'r'.repeat(65_000)}`) },
);

function asText(topic: string): void {
  const address = parseTopic(topic);
  if (address) assert.equal(topicOf(address), topic);
  const isOwn = address?.acquirer === 'acme' && address.sn === 'SN000001';
  assert.equal(mayPublish(OWN, topic).ok, isOwn && isUpChannel(address.channel));
  assert.equal(mayPublish(NOC, topic).ok, false);
  const isOwnCommand = topic === 'pos/v1/acme/SN000001/cmd';
  assert.deepEqual([maySubscribe(OWN, topic).ok, mayReceive(OWN, topic)], [isOwnCommand, isOwnCommand]);
  assert.ok(!maySubscribe(NOC, topic).ok || /^(pos\/v1|\$SYS)\//.test(topic));
  assert.ok(!mayReceive(NOC, topic) || address?.channel !== 'cmd');
  const user = parseUser(topic);
  if (user) assert.equal(user.user, topic);
}

/** A filter that somebody has keeps a terminal's reports out of the short way where it is theirs. */
function asFilter(filter: string): void {
  const audience = createAudience(1);
  audience.join({ conn: { once: () => {} } } as never, filter);
  const hears = filter === REPORT || filter === '#' || filter === 'pos/v1/#' || filter === 'pos/v1/acme/SN000001/+';
  assert.ok(audience.hears(REPORT) || !hears);
}

/** What the front takes by its bytes is what the rules allow by its text. */
function asBytes(field: Buffer): void {
  const body = Buffer.concat([Buffer.of(field.length >> 8, field.length & 0xff), field, Buffer.of(0, 7)]);
  const lane = laneAt(LANES, body, 0, body.length);
  assert.equal(lane?.topic, LANES.find(({ topic }) => Buffer.from(topic).equals(field))?.topic);
  if (lane) assert.ok(mayPublish(OWN, lane.topic).ok);
}

export function fuzzTopics(budget: Budget, timeout: number): void {
  it("a topic is allowed where it is the user's own, and no other is", { timeout }, () => {
    fc.assert(
      fc.property(text, fc.array(damage, { maxLength: 2 }), (topic, damages) => {
        void budget.played();
        asText(topic);
        asFilter(topic);
        asBytes(applied(damages, Buffer.from(topic)).subarray(0, 65_535));
      }),
      budget.settings('topics'),
    );
  });
}
