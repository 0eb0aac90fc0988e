import { describe, expect, it } from 'vitest';
import { eventTypeFor, nameOf, secretsAt } from '../../../collector/webhooks/endpoint.ts';
import { anEndpoint, aTransition, T } from './examples.ts';

type Filters = Parameters<typeof anEndpoint>[0];
type Changes = Parameters<typeof aTransition>[1];

/** Each lets no alert pass. */
const NOTHING: [string, Filters][] = [
  ['another acquirer', { acquirer: 'bolt' }],
  ['other types', { types: ['outage'] }],
  ['a higher severity', { severity: 'critical' }],
  ['other merchants', { merchants: ['m-2'] }],
];

describe('an endpoint is told of an alert', () => {
  it.each<[string, Filters, Changes, boolean]>([
    ['of its acquirer', {}, {}, true],
    ['of another acquirer', {}, { subject: { acquirer: 'bolt' } }, false],
    ['of an acquirer whose code begins like its own', {}, { subject: { acquirer: 'acme-2' } }, false],
    ['of nobody', {}, { type: 'platform.blind', subject: { acquirer: null } }, false],
    ["of anybody, where it is everybody's", { acquirer: null }, { subject: { acquirer: 'bolt' } }, true],
    [
      "of nobody, where it is everybody's",
      { acquirer: null },
      { type: 'platform.blind', subject: { acquirer: null, merchant: null } },
      true,
    ],
    ['of its types', { types: ['outage', 'quota.terminals'] }, {}, true],
    ['of another type', { types: ['outage', 'quota.peripherals'] }, {}, false],
    ['of the least severity that it wants', { severity: 'warning' }, { severity: 'warning' }, true],
    ['of a higher severity', { severity: 'warning' }, { severity: 'critical' }, true],
    ['of a lower severity', { severity: 'warning' }, { severity: 'info' }, false],
    ['of its merchants', { merchants: ['m-1', 'm-3'] }, {}, true],
    ['of another merchant', { merchants: ['m-1', 'm-3'] }, { subject: { merchant: 'm-2' } }, false],
    ['of no merchant, where it wants some', { merchants: ['m-1'] }, { subject: { merchant: null } }, false],
    ['that passes some filters alone', { types: ['quota.terminals'], merchants: ['m-2'] }, {}, false],
  ])('%s', (_, filters, changes, isTold) => {
    expect(eventTypeFor(anEndpoint(filters), aTransition('fired', changes), false)).toBe(isTold ? 'alert.fired' : null);
  });

  it('that is silenced only when the silence has ended', () => {
    const endpoint = anEndpoint();

    expect(eventTypeFor(endpoint, aTransition('fired', { silencedBy: 's' }), false)).toBeNull();
    expect(eventTypeFor(endpoint, aTransition('updated', { silencedBy: 's', seq: 2 }), false)).toBeNull();
    expect(eventTypeFor(endpoint, aTransition('updated', { seq: 3 }), false)).toBe('alert.fired');
  });

  it('that rises into its filters, as if it had fired then', () => {
    const endpoint = anEndpoint({ severity: 'critical' });

    expect(eventTypeFor(endpoint, aTransition('fired'), false)).toBeNull();
    expect(eventTypeFor(endpoint, aTransition('updated', { severity: 'critical', seq: 2 }), false)).toBe('alert.fired');
  });
});

describe('an endpoint that was told of an alert', () => {
  it.each(NOTHING)('is told how it goes on and how it ends, though it wants %s by then', (_, filters) => {
    const endpoint = anEndpoint(filters);

    expect(eventTypeFor(endpoint, aTransition('updated', { severity: 'info' }), true)).toBe('alert.updated');
    expect(eventTypeFor(endpoint, aTransition('resolved'), true)).toBe('alert.resolved');
  });
});

it('an endpoint that was not told of an alert is not told of its end, though that passes', () => {
  expect(eventTypeFor(anEndpoint(), aTransition('resolved'), false)).toBeNull();
});

describe('the secrets of an endpoint', () => {
  const secrets = [
    { text: 'new', until: null },
    { text: 'old', until: T },
  ];

  it('hears nothing more of it while it is silenced, and its end all the same', () => {
    expect(eventTypeFor(anEndpoint(), aTransition('updated', { silencedBy: 's', seq: 2 }), true)).toBeNull();
    expect(eventTypeFor(anEndpoint(), aTransition('resolved', { silencedBy: 's', seq: 3 }), true)).toBe('alert.resolved');
    expect(eventTypeFor(anEndpoint(), aTransition('updated', { seq: 3 }), true)).toBe('alert.updated');
  });

  it('was not told of one that began and ended in a silence', () => {
    expect(eventTypeFor(anEndpoint(), aTransition('resolved', { silencedBy: 's', seq: 2 }), false)).toBeNull();
  });

  it('sign both until the older one ends, the newest first', () => {
    expect(secretsAt(anEndpoint({ secrets }), T - 1)).toEqual(['new', 'old']);
    expect(secretsAt(anEndpoint({ secrets }), T)).toEqual(['new']);
  });
});

it('an endpoint is named without its path, query and secret', () => {
  const endpoint = anEndpoint({ url: 'https://bank.example:8443/hooks/t0k3n?key=t0k3n' });

  expect(nameOf(endpoint)).toBe('webhook we_01 (https://bank.example:8443)');
});
