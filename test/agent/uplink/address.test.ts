import { describe, expect, test } from 'vitest';
import { brokerUrl, parseBrokerUrl } from '../../../agent/uplink/address.ts';

describe("a broker's address", () => {
  test.each([
    ['mqtt://broker.example', { tls: false, host: 'broker.example', port: 1883 }, 'mqtt://broker.example:1883'],
    ['mqtts://broker.example/', { tls: true, host: 'broker.example', port: 8883 }, 'mqtts://broker.example:8883'],
    ['mqtt://127.0.0.1:11883', { tls: false, host: '127.0.0.1', port: 11883 }, 'mqtt://127.0.0.1:11883'],
    ['mqtts://[::1]:9', { tls: true, host: '::1', port: 9 }, 'mqtts://[::1]:9'],
  ])('%s is read, and written with its port', (text, address, written) => {
    expect(parseBrokerUrl(text)).toEqual(address);
    expect(brokerUrl(address)).toBe(written);
  });

  test.each([
    '',
    'broker:1883',
    'http://broker',
    'ws://broker',
    'mqtt://u:p@broker',
    'mqtt://broker/path',
    'mqtt://broker?x=1',
    'mqtt://',
    'mqtt://b:99999',
  ])('%s is none', (text) => {
    expect(parseBrokerUrl(text)).toBeUndefined();
  });
});
