import { describe, expect, it } from 'vitest';
import { signedHeaders } from '../../collector/webhooks/signature.ts';
import { lacks } from './servers.ts';
import { GENUINE, type Received, verdictsOn } from './standard-webhooks.ts';

const KEY = Buffer.alloc(32, 1);
const SECRET = `whsec_${KEY.toString('base64')}`;

function delivery(id: string, text = '{"名称":"便利店 ☕"}', key = KEY, secondsAgo = 0): Received {
  const body = Buffer.from(text);
  return { headers: { ...signedHeaders(id, Math.floor(Date.now() / 1000) - secondsAgo, body, [key]) }, body };
}

describe.skipIf(lacks('standardwebhooks-python'))('verdictsOn', () => {
  it('finds each genuine delivery genuine, by both libraries', async () => {
    const deliveries = Array.from({ length: 300 }, (_, i) => delivery(`msg_${i}`, JSON.stringify({ i })));

    expect(await verdictsOn(SECRET, [delivery('msg_a'), ...deliveries])).toEqual(Array(301).fill(GENUINE));
    expect(await verdictsOn(SECRET, [])).toEqual([]);
  });

  it('finds the forgeries among genuine ones, by both libraries', async () => {
    const genuine = delivery('msg_a');
    const unsigned = { headers: { ...genuine.headers, 'webhook-signature': undefined }, body: genuine.body };
    const forgeries = [
      { ...genuine, body: Buffer.from('{"名称":"便利店 ☔"}') },
      { ...genuine, headers: { ...genuine.headers, 'webhook-id': 'msg_b' } },
      delivery('msg_a', '{}', Buffer.alloc(32, 2)),
      delivery('msg_a', '{}', KEY, 400),
      unsigned,
    ];

    const [first, ...others] = await verdictsOn(SECRET, [genuine, ...forgeries, genuine]);

    const refused = (why: RegExp) => ({ npm: expect.stringMatching(why), python: expect.stringMatching(why) });
    const unfit = refused(/no matching signature/i);
    expect(first).toEqual(GENUINE);
    expect(others).toEqual([unfit, unfit, unfit, refused(/too old/), refused(/missing required headers/i), GENUINE]);
  });

  it('says so where the library cannot run, rather than finding anything genuine', async () => {
    const given = process.env.STANDARDWEBHOOKS_PYTHON;
    process.env.STANDARDWEBHOOKS_PYTHON = '/bin/false';
    try {
      await expect(verdictsOn(SECRET, [delivery('msg_a')])).rejects.toThrow('standardwebhooks-python ended with 1');
    } finally {
      if (given === undefined) delete process.env.STANDARDWEBHOOKS_PYTHON;
      else process.env.STANDARDWEBHOOKS_PYTHON = given;
    }
  });
});
