import assert from 'node:assert/strict';
import { ANSWER_MS } from '../harness/lane.ts';
import { valuesOf } from '../harness/message.ts';
import { everyByte } from '../harness/pacing.ts';
import { type Scenario, scenario } from '../harness/scenario.ts';
import { play, type StageSettings } from '../harness/stage.ts';

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';
/** 203.0.113.7:4711 → 127.0.0.1:80. */
const ADDRESSES = '\xcb\x00\x71\x07\x7f\x00\x00\x01\x12\x67\x00\x50';
const GET = 'GET /c HTTP/1.1\r\nHost: a\r\n\r\n';

function version2(tlvs: string, length = ADDRESSES.length + tlvs.length): string {
  return `${SIGNATURE}\x21\x11${String.fromCharCode(length >> 8, length & 255)}${ADDRESSES}${tlvs}`;
}

const VERSION1 = 'PROXY TCP4 203.0.113.7 127.0.0.1 4711 80\r\n';
const NOOP = '\x04\x00\x03abc';
const settings: StageSettings = { proxyProtocol: true, trustedProxies: ['127.0.0.0/8'], preamble: '' };
const LINES = ['haproxy-proxy-v2-tlv'];

/** The witness that every scenario ends with needs the header, too. */
const withHeader: StageSettings = { ...settings, preamble: version2('') };

function believed(name: string, header: string, cut: 'whole' | 'bytes'): Scenario {
  return scenario(name, LINES, () =>
    play({ ...settings, preamble: header }, async ({ client: open, origin }) => {
      const client = await open();
      await client.send(GET, cut === 'bytes' ? everyByte(GET) : []);
      assert.equal((await client.answer('GET', ANSWER_MS))?.status, 200);
      assert.deepEqual(valuesOf(origin.take().received[0]?.message.fields ?? [], 'x-forwarded-for'), ['203.0.113.7']);
    }),
  );
}

function broken(name: string, header: string): Scenario {
  return scenario(name, LINES, () =>
    play(withHeader, async (stage) => {
      const client = await stage.bare();
      await client.send(header + GET);
      assert.notEqual(await client.end(ANSWER_MS), 'open');
      assert.equal(client.rest, '');
      assert.deepEqual(stage.origin.take().received, []);
    }),
  );
}

export const proxyProtocol: Scenario[] = [
  believed('version 1', VERSION1, 'whole'),
  believed('version 2', version2(''), 'whole'),
  believed('version 2 with a type-length-value', version2(NOOP), 'whole'),
  believed('version 2, then a request byte by byte', version2(NOOP), 'bytes'),
  scenario('version 2 and the request in one segment', LINES, () =>
    play(withHeader, async (stage) => {
      const client = await stage.bare();
      await client.send(version2(NOOP) + GET);
      assert.equal((await client.answer('GET', ANSWER_MS))?.status, 200);
      const [received] = stage.origin.take().received;
      assert.deepEqual([received?.method, received?.target, received?.message.faults], ['GET', '/c', []]);
    }),
  ),
  scenario('version 2 byte by byte', LINES, () =>
    play(withHeader, async (stage) => {
      const client = await stage.bare();
      const text = version2(NOOP) + GET;
      await client.send(text, everyByte(text));
      assert.equal((await client.answer('GET', ANSWER_MS))?.status, 200);
    }),
  ),
  broken('a type-length-value longer than the header', version2('\x04\x00\xffabc')),
  broken('a type-length-value whose head is cut off', version2('\x04\x00')),
  broken('a header shorter than its addresses', version2('', 8)),
  broken('no header at all', ''),
  broken('half a signature', SIGNATURE.slice(0, 8)),
  broken('version 1 ended by LF', VERSION1.replace('\r\n', '\n')),
  broken('version 1 with a bad address', VERSION1.replace('203.0.113.7', '203.0.113.999')),
  ...[VERSION1, version2('')].map((header, index) =>
    scenario(`version ${index + 1} where none is expected is no request`, LINES, () =>
      play({}, async ({ sent, origin }) => {
        const client = await sent(header + GET);
        assert.equal((await client.answer('GET', ANSWER_MS))?.status, 400);
        assert.equal(await client.end(ANSWER_MS), 'ended');
        assert.deepEqual(origin.take().received, []);
      }),
    ),
  ),
];
