import { describe, expect, test } from 'vitest';
import { FrameScanner } from '../../../src/edge/exchange/web-socket-activity.ts';
import { at, EdgeHarness } from '../edge-harness.ts';
import { Origin } from '../wire.ts';

const TEXT = 1;
const PING = 9;
const PONG = 10;

/** A frame as RFC 6455 §5.2 has it; masked as a client's. */
function frame(opcode: number, length: number, masked = false): Buffer {
  const size = length < 126 ? [length] : length < 65_536 ? [126, length >> 8, length & 255] : [127, 0, 0, 0, 0];
  const head = [0x80 | opcode, ...size];
  if (length >= 65_536) head.push(length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255);
  if (masked) {
    head[1] = (head[1] as number) | 0x80;
    head.push(1, 2, 3, 4);
  }
  return Buffer.concat([Buffer.from(head), Buffer.alloc(length, 0x89)]);
}

describe('data is told from control frames', () => {
  const stream = Buffer.concat([
    frame(PING, 0, true),
    frame(PONG, 125),
    frame(PING, 4, true),
    frame(TEXT, 0),
    frame(PONG, 3),
    frame(0, 300, true),
    frame(PING, 1),
    frame(2, 70_000),
    frame(8, 2, true),
  ]);
  const expected = [
    [0, 6, false],
    [6, 127 + 10, false],
    [143, 2, true],
    [145, 5, false],
    [150, 8 + 300, true],
    [458, 3, false],
    [461, 10 + 70_000, true],
    [70_471, 8, false],
  ] as const;

  test.each([1, 2, 3, 7, 100, 65_536, stream.length])('in pieces of %i bytes', (size) => {
    const scanner = new FrameScanner();
    const data = new Set<number>();
    for (let from = 0; from < stream.length; from += size) {
      const end = Math.min(from + size, stream.length);
      if (scanner.scan(stream, from, end)) data.add(from);
    }
    for (let from = 0; from < stream.length; from += size) {
      const end = Math.min(from + size, stream.length);
      // The end of a head, or of the payload, is what tells.
      const isData = expected.some(([start, length, is]) => is && start < end && start + length > from);
      const isControl = !expected.some(([start, length, is]) => is && start < end && start + length > from);
      if (isControl) expect(data.has(from)).toBe(false);
      if (isData && size >= 14) expect(data.has(from)).toBe(true);
    }
    expect(data.size).toBeGreaterThan(0);
  });
});

describe.each([
  ['bytes', false],
  ['data', true],
] as const)('with activity: %s', (activity, isQuiet) => {
  test(`a WebSocket in which pings alone pass is ${isQuiet ? 'quiet' : 'active'}, and one with data is active`, async () => {
    const origin = await Origin.listen(async (upstream) => {
      await upstream.head();
      upstream.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    });
    const h = await EdgeHarness.ready(origin, { activity, timeouts: { streamMs: 5000 } });
    const client = await h.connect();
    client.get('/', 'Connection: Upgrade\r\nUpgrade: WebSocket\r\n');
    await client.answer();
    for (let second = 0; second < 7; second++) {
      h.clock.advance(1000);
      client.write(frame(PING, 0, true));
      await h.taken(client);
    }
    expect((await h.service())?.idleForMs).toBe(isQuiet ? 2000 : 0);
    client.write(frame(TEXT, 5, true));
    await h.taken(client);
    h.clock.advance(4000);
    expect((await h.service())?.idleForMs).toBe(0);
    h.clock.advance(2000);
    h.state({ endpoints: [at(origin, { state: 'cordoned' })] });
    expect(await h.message('ack')).toMatchObject({ inFlight: 1, quiet: 1 });
    // What closes it says so.
    h.state({ endpoints: [at(origin, { state: 'closing' })] });
    await client.readAll();
    await h.inFlight(0);
    expect(h.accessed).toMatchObject([{ status: 101, ending: 'retired' }]);
  });
});
