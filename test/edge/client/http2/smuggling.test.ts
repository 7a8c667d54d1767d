import { describe, expect, onTestFinished, test } from 'vitest';
import {
  block,
  Code,
  type Fields,
  Flag,
  FrameClient,
  frame,
  REQUEST,
  request,
  Type,
} from '../../../support/http2-frames.ts';
import { at, EdgeHarness, policy } from '../../edge-harness.ts';
import { answering, Origin, type Seen, until } from '../../wire.ts';

async function stage() {
  const seen: Seen[] = [];
  const origin = await Origin.listen(
    answering((each) => {
      seen.push(each);
      return 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
    }),
  );
  const h = await EdgeHarness.start(policy(), {}, {}, { http2: true });
  h.state({ endpoints: [at(origin)] });
  const client = await FrameClient.open(h.port);
  onTestFinished(() => client.destroy());
  const over = (id: number) => client.closed || client.hasEnded(id) || client.resetOf(id) !== undefined;
  /** Sends frames on stream 1, then a clean request on stream 3, on a new connection if need be. */
  const send = async (...frames: Buffer[]) => {
    client.send(...frames);
    await until(() => over(1), 'the end of the stream');
    const next = client.closed ? await FrameClient.open(h.port) : client;
    onTestFinished(() => next.destroy());
    next.send(request(3, [], [...REQUEST.slice(0, 3), [':path', '/clean']]));
    await until(() => next.hasEnded(3), 'the clean answer');
  };
  return { h, client, seen, send };
}

const lines = (seen: Seen[]) => seen.map(({ line }) => line);
const CLEAN = 'GET /clean HTTP/1.1';

function changed(name: string, value: string): Fields {
  return REQUEST.map(([each, before]) => [each, each === name ? value : before] as const);
}

describe('what cannot be said in HTTP/1.1 reaches no service', () => {
  test.each<[string, Buffer]>([
    ['a line end in the method', request(1, [], changed(':method', 'GET / HTTP/1.1\r\nx: y\r\n\r\nGET'))],
    ['a space in the method', request(1, [], changed(':method', 'GET /admin'))],
    ['a line end in the path', request(1, [], changed(':path', '/ HTTP/1.1\r\nx: y'))],
    ['a space in the path', request(1, [], changed(':path', '/ HTTP/1.1'))],
    ['an absolute path', request(1, [], changed(':path', 'http://other.test/'))],
    ['a line end in the authority', request(1, [], changed(':authority', 'app.test\r\nx: y'))],
    ['a user in the authority', request(1, [], changed(':authority', 'a@app.test'))],
    ['a scheme that is none', request(1, [], changed(':scheme', 'http://other.test/?'))],
    ['Host of another name', request(1, [['host', 'other.test']])],
    [
      'two Hosts',
      request(1, [
        ['host', 'app.test'],
        ['host', 'app.test'],
      ]),
    ],
    ['Transfer-Encoding', request(1, [['transfer-encoding', 'chunked']])],
    ['Connection', request(1, [['connection', 'x']])],
    ['an upper-case name', request(1, [['X', 'y']])],
    [
      'two lengths',
      request(1, [
        ['content-length', '0'],
        ['content-length', '1'],
      ]),
    ],
    ['a length that is none', request(1, [['content-length', '+0']])],
    ['a length without content', request(1, [['content-length', '5']])],
    ['a pseudo-field twice', request(1, [], [...REQUEST, [':path', '/b']])],
    ['a pseudo-field behind others', request(1, [], [...REQUEST.slice(0, 3), ['a', 'b'], [':path', '/']])],
    ['an unknown pseudo-field', request(1, [[':x', 'y']])],
    ['no path', request(1, [], REQUEST.slice(0, 3))],
    [
      'no authority and no Host',
      request(
        1,
        [],
        REQUEST.filter(([name]) => name !== ':authority'),
      ),
    ],
  ])('%s', async (_name, frames) => {
    const { client, seen, send } = await stage();
    await send(frames);
    expect(lines(seen)).toEqual([CLEAN]);
    expect([400, undefined]).toContain(client.statusOf(1));
  });

  test.each<[string, string, string]>([
    ['a line end in a value', 'x', 'y\r\nz: a'],
    ['a line feed in a value', 'x', 'y\nz: a'],
    ['a NUL in a value', 'x', 'y\0z'],
    ['white space before a value', 'x', ' y'],
    ['a colon in a name', 'x:z', 'y'],
    ['a line end in a name', 'x: y\r\nz', 'a'],
    ['a space in a name', 'x z', 'a'],
  ])('%s (a service may get the request without the field)', async (_name, name, value) => {
    const { seen, send } = await stage();
    await send(request(1, [[name, value]]));
    for (const { fields } of seen) {
      expect(Object.keys(fields)).not.toContain('x');
      expect(Object.keys(fields)).not.toContain('z');
    }
    expect(lines(seen).at(-1)).toBe(CLEAN);
  });
});

describe('content of another length than was said', () => {
  const open = frame(Type.HEADERS, Flag.END_HEADERS, 1, block([['content-length', '5']]));

  test.each<[string, Buffer[]]>([
    ['more', [open, frame(Type.DATA, Flag.END_STREAM, 1, 'hello, GET /smuggled HTTP/1.1\r\n\r\n')]],
    ['more, in a second frame', [open, frame(Type.DATA, 0, 1, 'hello'), frame(Type.DATA, Flag.END_STREAM, 1, 'GET /')]],
    ['less', [open, frame(Type.DATA, Flag.END_STREAM, 1, 'hel')]],
  ])('%s', async (_name, frames) => {
    const { client, seen, send } = await stage();
    await send(...frames);
    expect(client.closed || client.resetOf(1) === Code.PROTOCOL_ERROR || client.statusOf(1) !== undefined).toBe(true);
    expect(lines(seen)).not.toContain('GET /smuggled HTTP/1.1');
    expect(lines(seen).at(-1)).toBe(CLEAN);
    for (const { body } of seen) expect(['', 'hello']).toContain(body.toString());
  });

  test('chunks that a client writes itself are content', async () => {
    const { seen, send } = await stage();
    const post = changed(':method', 'POST');
    await send(
      frame(Type.HEADERS, Flag.END_HEADERS, 1, block([], post)),
      frame(Type.DATA, Flag.END_STREAM, 1, '0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n'),
    );
    expect(lines(seen)).toEqual(['POST / HTTP/1.1', CLEAN]);
    expect(seen[0]?.body.toString()).toBe('0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n');
  });

  test('trailers that frame or route are left out', async () => {
    const { seen, send } = await stage();
    await send(
      frame(Type.HEADERS, Flag.END_HEADERS, 1, block([], changed(':method', 'POST'))),
      frame(Type.DATA, 0, 1, 'x'),
      frame(
        Type.HEADERS,
        Flag.END_HEADERS | Flag.END_STREAM,
        1,
        block(
          [
            ['x-a', 'b'],
            ['authorization', 'c'],
          ],
          [],
        ),
      ),
    );
    expect(seen.map(({ trailers }) => trailers)).toEqual(['x-a: b\r\n', '']);
  });
});

describe('fields that a client may not say of itself', () => {
  test('are dropped, and ours are there', async () => {
    const { seen, send } = await stage();
    await send(
      request(1, [
        ['x-forwarded-for', '1.2.3.4'],
        ['x_forwarded_for', '1.2.3.4'],
        ['x-real-ip', '1.2.3.4'],
        ['forwarded', 'for=1.2.3.4'],
        ['x-request-id', 'mine'],
      ]),
    );
    const { fields } = seen[0] as Seen;
    expect(fields['x-forwarded-for']).toEqual(['127.0.0.1']);
    expect(fields['x-real-ip']).toEqual(['127.0.0.1']);
    expect(fields['x-forwarded-proto']).toEqual(['http']);
    expect(fields['x-request-id']).not.toEqual(['mine']);
    expect(Object.keys(fields)).not.toContain('forwarded');
    expect(Object.keys(fields)).not.toContain('x_forwarded_for');
  });
});
