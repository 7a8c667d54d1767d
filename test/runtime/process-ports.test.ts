import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { PortPicker } from '../../src/runtime/process-port.ts';
import { VirtualClock } from '../../src/util/virtual-clock.ts';

test('a port is not handed out twice within half a minute, nor while a replica owns it', async () => {
  const clock = new VirtualClock();
  const picker = new PortPicker(clock);
  const picked: number[] = [];
  for (let i = 0; i < 200; i++) {
    picked.push(await picker.pick(new Set()));
    clock.advance(100);
  }
  expect(new Set(picked).size).toBe(200);
  clock.advance(60_000);
  const owned = new Set(picked);
  for (let i = 0; i < 200; i++) expect(owned.has(await picker.pick(owned))).toBe(false);
});

test('a port that was picked can be listened on', async () => {
  const port = await new PortPicker(new VirtualClock()).pick(new Set());
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  await new Promise((resolve) => server.close(resolve));
});
