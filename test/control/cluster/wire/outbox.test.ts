import { randomBytes } from 'node:crypto';
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { type Frame, FrameReader, Kind, MAX_FRAME, unpack } from '../../../../src/control/cluster/wire/frame.ts';
import { Outbox } from '../../../../src/control/cluster/wire/outbox.ts';
import { Peer } from '../../../../src/control/cluster/wire/peer.ts';
import { partsOf, TableAssembly, type TableMessage } from '../../../../src/control/cluster/wire/table-parts.ts';
import type { ControlMessage } from '../../../../src/model/link.ts';
import { VirtualClock } from '../../../../src/util/virtual-clock.ts';
import { policy, state } from '../../../edge/edge-harness.ts';
import { until } from '../../../edge/wire.ts';

/** Services of a table that has several pieces. */
const LARGE = 1500;

function table(version: number, services: number): TableMessage {
  const names = Array.from({ length: services }, (_, index) => `service-${index}`);
  return {
    type: 'table',
    version,
    table: {
      routes: names.map((service) => ({ host: `${service}.test`, path: '/', service })),
      services: names.map((name) => policy({ name })),
      trustedProxies: ['10.0.0.0/8'],
      heldBytes: 7,
    },
    states: names.map((service) => state({ service })),
  };
}

function news(version: number): ControlMessage {
  return { type: 'service', version, state: state({ service: 'service-1' }) };
}

const slots: ControlMessage = { type: 'slots', service: 'app', endpoint: 'e', epoch: 1, grant: 1, recall: 0 };

/** The leader's side of a member, and what its edges hear, by channel. */
function member() {
  const reader = new FrameReader(MAX_FRAME);
  const kinds: number[] = [];
  const heard = new Map<number, ControlMessage[]>();
  const assembly = new TableAssembly();
  const causes: string[] = [];
  let last: ControlMessage | undefined;
  let hold: (() => void) | undefined;
  let isHeld = false;
  const hear = (channel: number) => {
    const messages = heard.get(channel) ?? [];
    heard.set(channel, messages);
    messages.push(last as ControlMessage);
  };
  const take = (frame: Frame) => {
    kinds.push(frame.kind);
    if (frame.kind === Kind.PART) last = assembly.add(unpack(frame)) ?? last;
    if (frame.kind === Kind.MESSAGE) {
      last = unpack(frame) as ControlMessage;
      hear(frame.channel);
    }
    if (frame.kind === Kind.ALSO) for (const each of unpack(frame) as number[]) hear(each);
  };
  const stream = new Duplex({
    highWaterMark: 1024,
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      reader.push(chunk);
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) take(frame);
      if (isHeld) hold = done;
      else done();
    },
  });
  const clock = new VirtualClock();
  const onClose = (cause?: Error) => void causes.push(cause?.message ?? 'ended');
  const peer = new Peer(stream, { clock, leaseMs: 5000, index: 7, onFrame: () => undefined, onClose }, true);
  return {
    peer,
    outbox: new Outbox(peer),
    stream,
    heard: (channel: number) => heard.get(channel) ?? [],
    causes,
    kinds: () => kinds,
    hold: () => {
      isHeld = true;
    },
    release: () => {
      isHeld = false;
      hold?.();
    },
  };
}

test('a table is the same when it has come in pieces, each of which is small', () => {
  const whole = table(1, LARGE);
  const parts = partsOf(whole);
  const assembly = new TableAssembly();
  const lengths: number[] = [];
  for (let number = 0; ; number++) {
    const { packed, isLast } = parts.at(number);
    const content = new FrameReader(MAX_FRAME);
    const head = Buffer.alloc(16);
    head.writeUInt32BE(packed.bytes.length, 0);
    head.writeUInt8(packed.coding, 5);
    content.push(Buffer.concat([head, packed.bytes]));
    const frame = content.next() as Frame;
    lengths.push(frame.content.length);
    const made = assembly.add(unpack(frame));
    if (isLast) {
      expect(made).toEqual(whole);
      break;
    }
    expect(made).toBeUndefined();
  }
  expect(lengths.length).toBeGreaterThan(4);
  expect(Math.max(...lengths)).toBeLessThan(300 * 1024);
});

test('a piece without a beginning is refused', () => {
  expect(() => new TableAssembly().add({ routes: [], services: [], states: [], isLast: true })).toThrow('no table');
});

test('heartbeats and probes pass between the pieces of a table, and what else follows comes behind it', async () => {
  const { outbox, peer, heard, kinds } = member();
  outbox.post(1, table(1, LARGE));
  outbox.post(1, slots);
  outbox.post(1, news(2));
  outbox.post(2, news(2));
  outbox.post(1, { type: 'cancel-probe', probe: 'p' });
  peer.send(Kind.ALIVE, 0);
  await until(() => heard(1).length === 4, 'all of it');
  expect(heard(1).map(({ type }) => type)).toEqual(['cancel-probe', 'table', 'slots', 'service']);
  expect(heard(2).map(({ type }) => type)).toEqual(['service']);
  expect(kinds().indexOf(Kind.ALIVE)).toBeLessThan(kinds().lastIndexOf(Kind.PART));
});

test('edges that attach while a table passes get the same one, which passes once', async () => {
  const { outbox, heard, kinds } = member();
  const whole = table(1, LARGE);
  outbox.post(1, whole);
  await until(() => kinds().filter((kind) => kind === Kind.PART).length > 1, 'the second piece');
  outbox.post(2, whole);
  await until(() => heard(2).length === 1, 'the table');
  outbox.post(3, whole);
  await until(() => heard(3).length === 1, 'the table');
  const pieces = kinds().filter((kind) => kind === Kind.PART).length;
  let count = 1;
  while (!partsOf(whole).at(count - 1).isLast) count++;
  expect(pieces).toBe(count);
  expect(heard(1)[0]).toBe(heard(3)[0]);
});

test('a later table takes the place of one that has not passed: nobody sees a part of that', async () => {
  const { outbox, heard } = member();
  outbox.post(1, table(1, LARGE));
  outbox.post(1, slots);
  outbox.post(1, news(2));
  outbox.post(1, table(3, LARGE));
  await until(() => heard(1).length === 2, 'the table and the slots');
  expect(heard(1)).toMatchObject([{ type: 'table', version: 3 }, slots]);
  expect((heard(1)[0] as TableMessage).states.length).toBe(LARGE);
});

test('a table goes no faster than the member reads', async () => {
  const { outbox, heard, hold, release, stream } = member();
  hold();
  outbox.post(1, table(1, LARGE));
  const waiting = stream.writableLength;
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  expect(stream.writableLength).toBe(waiting);
  release();
  await until(() => heard(1).length === 1, 'the table');
});

test('of what has passed nothing is counted as waiting, though one table passes after the other', async () => {
  const { outbox, heard, causes } = member();
  const change = news(2);
  const tables = [1, 2, 3, 4].map((version) => table(version, LARGE));
  const [first, ...others] = tables as [TableMessage, ...TableMessage[]];
  outbox.post(1, first);
  // The next one always waits when one has passed.
  for (const [index, next] of others.entries()) {
    outbox.post(index + 2, next);
    for (let count = 0; count < 40_000; count++) outbox.post(index + 1, change);
    while (heard(index + 1).length <= 40_000 && causes.length === 0) await new Promise(setImmediate);
  }
  expect(causes).toEqual([]);
});

test('of an edge that is gone nothing more is sent', async () => {
  const { outbox, heard, kinds } = member();
  outbox.post(1, table(1, LARGE));
  outbox.drop(1);
  outbox.post(2, table(2, 1));
  await until(() => heard(2).length === 1, 'the other table');
  expect(kinds().filter((kind) => kind === Kind.PART).length).toBe(2);
  expect(heard(1)).toEqual([]);
});

test('what goes to many edges of a member passes once, and in order with what follows', async () => {
  const { outbox, heard, kinds } = member();
  const first = news(1);
  for (let channel = 1; channel <= 50; channel++) outbox.post(channel, first);
  outbox.post(7, news(2));
  await until(() => heard(7).length === 2, 'both');
  expect(kinds()).toEqual([Kind.MESSAGE, Kind.ALSO, Kind.MESSAGE]);
  for (let channel = 1; channel <= 50; channel++) expect(heard(channel)[0]).toEqual(first);
  expect(heard(7)[1]).toEqual(news(2));
});

test('a service that is longer than a frame may be ends the link, with what and why', () => {
  const { outbox, causes } = member();
  const words = randomBytes(34 * 2 ** 20).toString('base64');
  outbox.post(1, { ...table(1, 1), table: { ...table(1, 1).table, trustedProxies: [words] } });
  expect(causes).toEqual([expect.stringMatching(/^what is to be sent has \d+ bytes compressed, and 33554432 is/)]);
});
