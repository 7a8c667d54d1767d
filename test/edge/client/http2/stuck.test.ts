import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FrameClient, REQUEST, request, Setting, Type, windowUpdate } from '../../../support/http2-frames.ts';
import { at, EdgeHarness, policy } from '../../edge-harness.ts';
import { answering, Origin, ok, quiet, until } from '../../wire.ts';

const CONTENT = 'y'.repeat(40_000);
const HEAD = [[':method', 'HEAD'], ...REQUEST.slice(1)] as const;

/** A client that lets everything come and reads none of it, until the edge's socket has something that waits for it. */
async function stuck(): Promise<{ client: FrameClient; h: EdgeHarness; socket: Socket; last: number }> {
  const script = answering(({ line }) =>
    ok(line.startsWith('GET') ? CONTENT : '', line.startsWith('GET') ? '' : `X-Long: ${'z'.repeat(6000)}\r\n`),
  );
  const h = await EdgeHarness.start(policy(), {}, {}, { http2: true });
  h.state({ endpoints: [at(await Origin.listen(script))] });
  const accepted: Socket[] = [];
  const onAccepted = (message: unknown) => accepted.push((message as { socket: Socket }).socket);
  subscribe('net.server.socket', onAccepted);
  onTestFinished(() => void unsubscribe('net.server.socket', onAccepted));
  const client = await FrameClient.open(h.port, [Setting.INITIAL_WINDOW_SIZE, 2 ** 31 - 1]);
  onTestFinished(() => client.destroy());
  client.send(windowUpdate(0, 2 ** 30));
  await until(() => client.of(Type.SETTINGS).length > 0, 'settings of the edge');
  const socket = accepted[0] as Socket;
  client.socket.pause();
  let last = -1;
  while (socket.writableLength === 0) {
    last += 2;
    client.send(request(last));
    await until(() => h.accessed.length === (last + 1) / 2, 'the answer');
    await quiet(2);
  }
  return { client, h, socket, last };
}

describe('a client that takes nothing for a while', () => {
  test('gets the end of its last answer though the connection is over, as slowly as it takes it', async () => {
    const { client, h, socket, last } = await stuck();
    const drained = h.edge.drain(30_000);
    await h.pass(10_000, 500);
    expect(socket.destroyed).toBe(false);
    client.socket.resume();
    await until(() => client.closed, 'the end of the connection');
    expect([client.hasEnded(last), client.bodyOf(last).length, client.goaways]).toEqual([true, CONTENT.length, [0]]);
    await h.pass(100, 20);
    await drained;
  });

  test('is cut off where it leaves the end of its last answer for too long', async () => {
    const { h, last } = await stuck();
    const drained = h.edge.drain(300_000);
    await h.pass(70_000, 500);
    await h.connections(0);
    await drained;
    expect(h.accessed.length).toBe((last + 1) / 2);
  });

  test('is cut off once, also where heads and ends of answers are all that waits', async () => {
    const { client, h, last } = await stuck();
    for (let i = 1; i <= 40; i++) client.send(request(last + 2 * i, [], HEAD));
    await until(() => h.accessed.length === (last + 1) / 2 + 40, 'the answers');
    await h.pass(70_000, 500);
    await h.connections(0);
    await h.report();
    expect(h.all('report').flatMap(({ http2Cut }) => Object.entries(http2Cut ?? {}))).toEqual([['stalled', 1]]);
  });
});
