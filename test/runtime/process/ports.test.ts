import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PortPicker } from '../../../src/runtime/process/port.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { until } from '../../support/until.ts';
import { never, nodeSpec, processBench, SERVER } from './processes.ts';

const bench = processBench();

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
  const server = await listening(await new PortPicker(new VirtualClock()).pick(new Set()));
  await new Promise((resolve) => server.close(resolve));
});

/** Runs a replica that listens when it is told to, and then ends if it cannot. */
async function lateReplica() {
  const folder = await bench.stateDirectory();
  const runtime = bench.runtime(folder);
  const told = join(folder, 'go');
  const script = `
    const look = () => require('node:fs').existsSync(${JSON.stringify(told)}) ? serve() : setTimeout(look, 10);
    const serve = () => { ${SERVER} setTimeout(() => process.exit(1), 100); };
    look();
  `;
  const instance = await runtime.start(nodeSpec(script), never);
  const ended = async () => {
    await writeFile(told, '');
    await until('the replica ended', async () => (await runtime.inspect(instance.id, never))?.state === 'stopped');
    return runtime.inspect(instance.id, never);
  };
  return { port: instance.address?.port ?? 0, ended };
}

test('of a replica that ended it is told whether another program has its port', async () => {
  const replica = await lateReplica();
  const other = await listening(replica.port);
  expect(await replica.ended()).toMatchObject({ exitCode: 1, portTaken: true });
  await new Promise((resolve) => other.close(resolve));
  expect(await (await lateReplica()).ended()).toMatchObject({ exitCode: 1, portTaken: false });
});

function listening(port: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(server));
  });
}
