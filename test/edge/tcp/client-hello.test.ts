import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_HELLO, readClientHello } from '../../../src/edge/tcp/client-hello.ts';
import { clientHello, extension, helloMessage, number, records, serverName, vector } from './sessions.ts';

const MORE = { outcome: 'more' };
const MALFORMED = { outcome: 'broken', fault: 'malformed ClientHello' };
const STRANGER = { outcome: 'broken', fault: 'no TLS ClientHello' };
const TOO_LONG = { outcome: 'broken', fault: 'ClientHello too long' };

const named = (serverName: string | undefined) => expect.objectContaining({ outcome: 'read', serverName });

/** What Node's TLS sends first. */
function helloOfNode(servername: string | undefined): Promise<Buffer> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (bytes) => {
        resolve(bytes);
        socket.destroy();
        server.close();
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      connectTls({ port, host: '127.0.0.1', ...(servername === undefined ? {} : { servername }) }).on(
        'error',
        () => {},
      );
    });
  });
}

describe('a ClientHello', () => {
  test('of a real client tells its name', async () => {
    expect(readClientHello(await helloOfNode('db.example.com'))).toEqual(named('db.example.com'));
    expect(readClientHello(await helloOfNode(undefined))).toEqual(named(undefined));
  });

  test('is read in lower case', () => {
    expect(readClientHello(clientHello('DB.Example.COM'))).toEqual(named('db.example.com'));
  });

  test('without extensions names nothing', () => {
    const body = Buffer.concat([
      number(0x0301, 2),
      randomBytes(32),
      number(0, 1),
      vector(Buffer.of(0, 47), 2),
      number(256, 2),
    ]);
    expect(readClientHello(records(Buffer.concat([number(1, 1), vector(body, 3)])))).toEqual(named(undefined));
  });

  test('is refused where two readers could take it for different names', () => {
    const twice = helloMessage([serverName('a.test'), serverName('b.test')]);
    const two = Buffer.concat([Buffer.of(0), vector(Buffer.from('a'), 2), Buffer.of(0), vector(Buffer.from('b'), 2)]);
    const inOne = helloMessage([Buffer.concat([number(0, 2), vector(vector(two, 2), 2)])]);
    expect(readClientHello(records(twice))).toEqual(MALFORMED);
    expect(readClientHello(records(inOne))).toEqual(MALFORMED);
  });

  test.each(['', 'a..b', '.a', 'a.', 'a b', 'a\0b', 'ä.test', `${'a'.repeat(64)}.test`, `${'a.'.repeat(127)}test`])(
    'with the name %j is malformed',
    (name) => {
      expect(readClientHello(records(helloMessage([serverName(name)])))).toEqual(MALFORMED);
    },
  );

  test('is told from what is none at the first byte that shows it', () => {
    expect(readClientHello(Buffer.from('G'))).toEqual(STRANGER);
    expect(readClientHello(Buffer.of(22, 2))).toEqual(STRANGER);
    expect(readClientHello(records(Buffer.of(2, 0, 0, 1, 0)))).toEqual(STRANGER);
    expect(readClientHello(Buffer.of(22, 3, 1, 0, 0))).toEqual(MALFORMED);
    expect(readClientHello(Buffer.of(22, 3, 1, 255, 255))).toEqual(MALFORMED);
  });

  test('is bounded in length and in records', () => {
    expect(readClientHello(records(Buffer.from([1, 0, 64, 0])))).toEqual(TOO_LONG);
    const long = helloMessage([extension(21, MAX_HELLO - 4096), serverName('a.test')]);
    expect(readClientHello(records(long))).toEqual(named('a.test'));
    expect(readClientHello(records(long, 1))).toEqual(TOO_LONG);
  });
});

describe('whatever comes', () => {
  const label = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
  const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
  const message = fc
    .record({
      name,
      before: fc.array(fc.integer({ min: 1, max: 65535 }), { maxLength: 4 }),
      after: fc.array(fc.integer({ min: 1, max: 65535 }), { maxLength: 4 }),
      session: fc.uint8Array({ maxLength: 32 }),
    })
    .map(({ name, before, after, session }) => {
      const others = (types: number[]) => types.map((type) => extension(type, type % 50));
      const extensions = [...others(before), serverName(name), ...others(after)];
      return { name, bytes: helloMessage(extensions, Buffer.from(session)) };
    });

  test('a name is found however the message is spread over records, and not before it is whole', () => {
    fc.assert(
      fc.property(
        message,
        fc.integer({ min: 20, max: 2000 }),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (hello, size, part) => {
          const bytes = records(hello.bytes, size);
          fc.pre(hello.bytes.length / size <= 64);
          expect(readClientHello(bytes)).toEqual(named(hello.name));
          expect(readClientHello(Buffer.concat([bytes, randomBytes(50)]))).toEqual(named(hello.name));
          const cut = Math.floor(part * bytes.length);
          expect(readClientHello(bytes.subarray(0, cut))).toEqual(MORE);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a byte changed yields a name, or none, or a fault: never an exception, never more than was sent', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.integer({ min: 0, max: 255 }), (hello, place, value) => {
        const bytes = records(hello.bytes);
        bytes[place % bytes.length] = value;
        const result = readClientHello(bytes);
        if (result.outcome !== 'read' || result.serverName === undefined) return;
        expect(bytes.toString('latin1').toLowerCase()).toContain(result.serverName);
      }),
      { numRuns: 1000 },
    );
  });

  test('random bytes behind the beginning of one never throw, and never ask for more than the bound', () => {
    const begin = fc.constantFrom([], [22], [22, 3, 1], [22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]);
    fc.assert(
      fc.property(begin, fc.uint8Array({ maxLength: 400 }), (start, rest) => {
        readClientHello(Buffer.from([...start, ...rest]));
        const full = Buffer.concat([Buffer.from([...start, ...rest]), Buffer.alloc(2 * MAX_HELLO + 64 * 5, 1)]);
        expect(readClientHello(full)).not.toEqual(MORE);
      }),
      { numRuns: 1000 },
    );
  });
});
