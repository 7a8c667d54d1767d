import { type ClientHttp2Session, connect } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FieldDecoder } from '../../../src/edge/http2/field-decoder.ts';
import { FieldEncoder, mostEncoded } from '../../../src/edge/http2/field-encoder.ts';
import { FieldTable, TABLE_BYTES } from '../../../src/edge/http2/field-table.ts';
import { decodeHuffman, mostDecoded } from '../../../src/edge/http2/huffman.ts';
import { byIndex, Flag, frame, indexedField, Type } from '../../support/http2-frames.ts';
import { soon, until } from '../wire.ts';

const LIMITS = { pairs: 1000, bytes: 1_000_000 };

function decoded(decoder: FieldDecoder, bytes: Buffer, limits = LIMITS): string[] | undefined {
  const list: string[] = [];
  return decoder.decode(bytes, 0, bytes.length, list, limits) ? list : undefined;
}

function encoded(encoder: FieldEncoder, list: string[]): Buffer {
  const out = Buffer.alloc(mostEncoded(list));
  return out.subarray(0, encoder.encode(list, out, 0));
}

/** A client of Node, whose heads a server of raw frames hears of: all so far, each time that there are more. */
async function nodeBefore(onBlocks: (socket: Socket, blocks: Buffer[]) => void): Promise<ClientHttp2Session> {
  const server = createServer((socket) => {
    let bytes = Buffer.alloc(0);
    let known = 0;
    socket.write(frame(Type.SETTINGS, 0, 0));
    socket.on('error', () => {});
    socket.on('data', (more: Buffer) => {
      bytes = Buffer.concat([bytes, more]);
      const blocks = blocksIn(bytes);
      if (blocks.length > known) onBlocks(socket, blocks);
      known = blocks.length;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  return session;
}

/** The blocks of all HEADERS that came whole behind the preface. */
function blocksIn(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  for (let at = 24; bytes.length >= at + 9; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (bytes.length < end) break;
    const skipped = ((bytes[at + 4] as number) & Flag.PRIORITY) === 0 ? 0 : 5;
    if (bytes[at + 3] === Type.HEADERS) blocks.push(bytes.subarray(at + 9 + skipped, end));
    at = end;
  }
  return blocks;
}

const NAMES = [':status', 'date', 'server', 'set-cookie', 'content-type', 'x-request-id', 'etag', 'x-a'];
const value = fc.oneof(
  fc.constantFrom('', '200', '404', 'text/html', 'a', 'v'.repeat(700), 'w'.repeat(5000)),
  fc.string({ unit: fc.constantFrom(...'az09 ~\xff;=') }),
);
const list = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), value), { maxLength: 12 })
  .map((fields) => fields.flat() as string[]);

describe('what is encoded', () => {
  test('is decoded as it was, block after block, whatever the size of the table becomes', () => {
    const step = fc.tuple(list, fc.option(fc.constantFrom(0, 100, 1000, 4096, 65_536), { freq: 4 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const encoder = new FieldEncoder();
        const decoder = new FieldDecoder();
        for (const [fields, limit] of steps) {
          if (limit !== null) encoder.limit(limit);
          expect(decoded(decoder, encoded(encoder, fields))).toEqual(fields);
        }
      }),
    );
  });

  test('takes one byte per field that was there before', () => {
    const encoder = new FieldEncoder();
    const fields = [':status', '200', 'server', 'pilotlight', 'content-type', 'text/html', 'x-own', 'a'];
    expect(encoded(encoder, fields).length).toBeGreaterThan(30);
    expect(encoded(encoder, fields).length).toBe(4);
  });

  test('puts no secret into a table, and marks it so that nobody else does', () => {
    const bytes = encoded(new FieldEncoder(), ['set-cookie', 'a=b']);
    expect(bytes[0]).toBe(0x1f);
    const encoder = new FieldEncoder();
    encoded(encoder, ['set-cookie', 'a=b']);
    expect(encoded(encoder, ['set-cookie', 'a=b']).length).toBe(bytes.length);
  });

  test('tells the smallest size of the table and the present one before the next field', () => {
    const encoder = new FieldEncoder();
    encoder.limit(0);
    encoder.limit(4096);
    expect([...encoded(encoder, [':status', '200'])]).toEqual([0x20, 0x3f, 0xe1, 0x1f, 0x88]);
    expect([...encoded(encoder, [':status', '200'])]).toEqual([0x88]);
  });
});

describe('what is decoded', () => {
  test('is what Node encodes, every character of values among it', async () => {
    const blocks: Buffer[] = [];
    const session = await nodeBefore((_socket, all) => {
      blocks.splice(0, Infinity, ...all);
    });
    const codes = Array.from({ length: 256 }, (_, code) => code).filter((code) => code > 32 && code !== 127);
    const values = [...codes.map((code) => String.fromCharCode(code).repeat(5)), String.fromCharCode(...codes)];
    for (const each of values) session.request({ ':path': '/a/b', 'x-value': each }).on('error', () => {});
    await until(() => blocks.length === values.length, 'all requests');
    const decoder = new FieldDecoder();
    expect(blocks.map((each) => decoded(decoder, each)?.at(-1))).toEqual(values);
  });

  test('names of the table stand for what was put there last, and nothing stands for what is not', () => {
    const decoder = new FieldDecoder();
    expect(decoded(decoder, Buffer.concat([indexedField('a', '1'), indexedField('b', '2')]))).toBeDefined();
    expect(decoded(decoder, Buffer.concat([byIndex(62), byIndex(63)]))).toEqual(['b', '2', 'a', '1']);
    expect(decoded(decoder, byIndex(64))).toBeUndefined();
    expect(decoded(decoder, byIndex(0))).toBeUndefined();
    expect(decoded(decoder, byIndex(2 ** 20))).toBeUndefined();
  });

  test.each<[string, number[]]>([
    ['an integer without end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ['an integer that is cut off', [0xff]],
    ['a string longer than the block', [0x00, 0x05, 0x61]],
    ['a name without a value', [0x00, 0x01, 0x61]],
    ['a table larger than ours', [0x3f, 0xe2, 0x1f]],
    ['a size of the table behind a field', [0x82, 0x20]],
    ['padding of zeros in coded text', [0x00, 0x81, 0x18, 0x00]],
    ['padding of more than seven bits', [0x00, 0x82, 0x1f, 0xff, 0x00]],
    ['the end of a string within one', [0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00]],
  ])('%s makes no block', (_name, bytes) => {
    expect(decoded(new FieldDecoder(), Buffer.from(bytes))).toBeUndefined();
  });

  test('whatever the bytes are, is a list or nothing, within its bounds', () => {
    const decoder = new FieldDecoder();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const found = decoded(decoder, Buffer.from(bytes), { pairs: 3, bytes: 50 });
        expect(found === undefined || found.length <= 6).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test('keeps no more than its bounds, counts all, and stays in step with the table', () => {
    const decoder = new FieldDecoder();
    const bomb = Buffer.concat([
      indexedField('x', 'v'.repeat(4000)),
      ...Array.from({ length: 500 }, () => byIndex(62)),
    ]);
    const found = decoded(decoder, Buffer.concat([bomb, indexedField('y', 'z')]), { pairs: 100, bytes: 10_000 });
    expect([found?.length, decoder.isCut, decoder.expanded]).toEqual([6, true, 501 * 4001 + 2]);
    expect(decoded(decoder, byIndex(62))).toEqual(['y', 'z']);
    expect(decoder.isCut).toBe(false);
  });
});

test('coded text of any bytes is no longer than is expected, and is refused or decoded', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const out = Buffer.alloc(mostDecoded(bytes.length));
      expect(decodeHuffman(bytes, 0, bytes.length, out)).toBeLessThanOrEqual(out.length);
    }),
    { numRuns: 2000 },
  );
});

/** The first of them, as many as come to so many bytes. */
function fitting(entries: [string, string][], most: number): [string, string][] {
  let left = most;
  let count = 0;
  for (const [name, text] of entries) {
    left -= name.length + text.length + 32;
    if (left < 0) break;
    count++;
  }
  return entries.slice(0, count);
}

test('a table holds what fits, the newest first', () => {
  const entry = fc.tuple(fc.string({ unit: fc.constantFrom('a', 'b') }), fc.nat(1200));
  fc.assert(
    fc.property(fc.array(fc.oneof(entry, fc.nat(TABLE_BYTES)), { maxLength: 60 }), (steps) => {
      const table = new FieldTable();
      let most = TABLE_BYTES;
      let model: [string, string][] = [];
      for (const step of steps) {
        if (typeof step === 'number') {
          most = step;
          table.resize(step);
        } else {
          const text = 'v'.repeat(step[1]);
          table.add(step[0], text);
          model.unshift([step[0], text]);
        }
        model = fitting(model, most);
        expect(Array.from({ length: table.count }, (_, i) => [table.name(i), table.value(i)])).toEqual(model);
      }
    }),
  );
});

test('Node decodes what is encoded, over several answers', async () => {
  const encoder = new FieldEncoder();
  const fields = [':status', '200', 'server', 'x', 'set-cookie', 'a=b', 'x-long', 'y'.repeat(300), 'etag', '"1"'];
  const session = await nodeBefore((socket, all) => {
    if (all.length < 3) return;
    for (const id of [1, 3, 5]) {
      const block = encoded(encoder, [...fields, 'x-turn', String(id)]);
      socket.write(frame(Type.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, id, block));
    }
  });
  const answers = [1, 3, 5].map(() => {
    const stream = session.request({ ':path': '/' });
    return new Promise<Record<string, unknown>>((resolve) => stream.once('response', resolve));
  });
  const got = await soon(Promise.all(answers), 'the answers');
  for (const [i, each] of got.entries()) {
    expect(each).toMatchObject({ ':status': 200, server: 'x', 'x-long': 'y'.repeat(300), 'x-turn': String(2 * i + 1) });
    expect(each['set-cookie']).toEqual(['a=b']);
  }
});
