import { describe, expect, it } from 'vitest';
import { printSettings, readSettings } from '../../../cli/config.ts';
import { listenersOf, proxiesOf } from '../../../cli/settings/listening.ts';
import { problemsOf } from '../harness.ts';

const TLS = { TILLWATCH_TLS_CERT_FILE: '/etc/cert.pem', TILLWATCH_TLS_KEY_FILE: '/etc/key.pem' };
const ALL = {
  TILLWATCH_MQTT_LISTEN: '127.0.0.1:1883',
  TILLWATCH_MQTTS_LISTEN: '0.0.0.0:8883',
  TILLWATCH_WS_LISTEN: '[::1]:8083',
  TILLWATCH_WSS_LISTEN: '[::]:8084',
  ...TLS,
  TILLWATCH_TLS_CLIENT_CA_FILE: '/etc/ca.pem',
  TILLWATCH_TLS_CRL_FILE: '/etc/crl.pem',
  TILLWATCH_PROXY_FROM: '10.0.0.0/28, fd00::/8',
};

describe('settings of where the broker listens', () => {
  it('are loopback without TLS, unless others are set', () => {
    expect(listenersOf(readSettings({}))).toEqual([{ scheme: 'mqtt', host: '127.0.0.1', port: 1883 }]);
    expect(proxiesOf(readSettings({}))).toBeUndefined();
  });

  it('name a listener each, its certificates and its balancers', () => {
    const settings = readSettings(ALL);

    expect(listenersOf(settings)).toEqual([
      { scheme: 'mqtt', host: '127.0.0.1', port: 1883 },
      { scheme: 'mqtts', host: '0.0.0.0', port: 8883 },
      { scheme: 'ws', host: '::1', port: 8083 },
      { scheme: 'wss', host: '::', port: 8084 },
    ]);
    expect(settings.tls).toEqual({
      certFile: '/etc/cert.pem',
      keyFile: '/etc/key.pem',
      clientCaFile: '/etc/ca.pem',
      crlFile: '/etc/crl.pem',
    });
    const proxies = proxiesOf(settings)!;
    expect([proxies.check('10.0.0.15'), proxies.check('10.0.0.16'), proxies.check('::ffff:10.0.0.1', 'ipv6')]).toEqual([true, false, true]);
    expect([proxies.check('fd12::1', 'ipv6'), proxies.check('fe80::1', 'ipv6')]).toEqual([true, false]);
  });

  it('are printed as they are in force', () => {
    const printed = Object.fromEntries(printSettings(readSettings(ALL)).map((line) => line.split(/=(.*)/s)));
    expect(printed).toMatchObject(ALL);
  });

  it.each(['0.0.0.0:1883', '[::]:1883', '192.0.2.1:1883', 'broker.example:1883'])(
    'refuse %s without TLS, say what to do, and take it where that is asked for',
    (address) => {
      expect(problemsOf({ TILLWATCH_MQTT_LISTEN: address })).toEqual([
        `TILLWATCH_MQTT_LISTEN: ${address} is open to other machines without TLS, where tokens can be read on their way: use TILLWATCH_MQTTS_LISTEN, or allow it by TILLWATCH_INSECURE_LISTEN=1`,
      ]);
      expect(problemsOf({ TILLWATCH_WS_LISTEN: address })).toEqual([expect.stringContaining('use TILLWATCH_WSS_LISTEN, or')]);
      expect(readSettings({ TILLWATCH_MQTT_LISTEN: address, TILLWATCH_INSECURE_LISTEN: '1' }).insecureListen).toBe(true);
    },
  );

  it.each(['127.0.0.1:1', '127.8.0.1:1', 'localhost:1', '[::1]:1'])('take %s without TLS', (address) => {
    expect(readSettings({ TILLWATCH_MQTT_LISTEN: address, TILLWATCH_WS_LISTEN: address }).insecureListen).toBe(false);
  });

  it.each([
    [{ TILLWATCH_MQTTS_LISTEN: '0.0.0.0:8883' }, 'TILLWATCH_MQTTS_LISTEN: needs a certificate'],
    [{ TILLWATCH_WSS_LISTEN: '0.0.0.0:8883' }, 'TILLWATCH_WSS_LISTEN: needs a certificate'],
    [{ TILLWATCH_TLS_CERT_FILE: '/c' }, 'TILLWATCH_TLS_CERT_FILE and TILLWATCH_TLS_KEY_FILE: give both'],
    [{ TILLWATCH_TLS_KEY_FILE: '/k' }, 'TILLWATCH_TLS_CERT_FILE and TILLWATCH_TLS_KEY_FILE: give both'],
    [{ TILLWATCH_TLS_CLIENT_CA_FILE: '/a' }, 'TILLWATCH_TLS_CLIENT_CA_FILE: give TILLWATCH_TLS_CERT_FILE'],
    [{ ...TLS, TILLWATCH_TLS_CRL_FILE: '/l' }, 'TILLWATCH_TLS_CRL_FILE: give TILLWATCH_TLS_CLIENT_CA_FILE too'],
    [{ TILLWATCH_PROXY_FROM: '10/8' }, 'TILLWATCH_PROXY_FROM: "10/8" is not a range of addresses'],
    [{ TILLWATCH_INSECURE_LISTEN: 'yes' }, 'TILLWATCH_INSECURE_LISTEN: 1, or nothing'],
  ])('refuse %o', (env, problem) => {
    expect(problemsOf(env as Record<string, string>)).toEqual([expect.stringContaining(problem)]);
  });
});
