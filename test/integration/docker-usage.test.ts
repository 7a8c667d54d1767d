import { afterEach, expect, inject, test, vi } from 'vitest';
import { silentLogger } from '../../src/model/observe.ts';
import { createDockerRuntime } from '../../src/runtime/docker/runtime.ts';
import { systemClock } from '../../src/util/clock.ts';
import { containerSpec, imageSpec } from '../runtime/docker/containers.ts';
import { dockerApi, expectStatus, removeContainers, TEST_LABEL } from '../support/docker-api.ts';
import { buildAppImage, ensureNodeImage, NODE_IMAGE } from '../support/images.ts';
import { until } from '../support/until.ts';

// A busy machine may take many seconds for what an engine does in one.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const socket = inject('dockerSocket');
const docker = dockerApi(socket);
const run = inject('dockerRun');
const never = new AbortController().signal;
const instance = `u${process.pid}`;
const labels = { [TEST_LABEL]: run, [`${TEST_LABEL}.case`]: instance };

/** Takes 64 MiB and half a second of CPU, and then nothing. */
const APP = `
  const kept = Buffer.alloc(64 * 2 ** 20, 1);
  const end = process.cpuUsage().user + 500_000;
  while (process.cpuUsage().user < end);
  console.log('used ' + kept.length);
  setInterval(() => {}, 1000);
`;

afterEach(async () => {
  await removeContainers(docker, `${TEST_LABEL}.case=${instance}`);
});

function runtime() {
  const settings = { socket, reach: 'container' } as const;
  return createDockerRuntime({ settings, clock: systemClock, logger: silentLogger, instance });
}

test('a container takes the memory and CPU that it does, frozen too, and none once it is gone', async () => {
  const docks = await runtime();
  await ensureNodeImage(docker);
  const spec = imageSpec({ image: NODE_IMAGE, command: ['node', '-e', APP], labels }, { instance });
  const { id } = await docks.start(spec, never);
  await until('it has used them', async () => (await docks.output(id, 1, never))[0]?.startsWith('used') === true);
  const usage = await docks.usage?.(id, never);
  expect(usage?.memoryMiB).toBeGreaterThan(64);
  expect(usage?.memoryMiB).toBeLessThan(300);
  expect(usage?.cpuSeconds).toBeGreaterThan(0.45);
  expect(usage?.cpuSeconds).toBeLessThan(30);
  await docks.pause?.(id, never);
  const frozen = await docks.usage?.(id, never);
  expect(frozen?.memoryMiB).toBeGreaterThan(64);
  expect((await docks.usage?.(id, never))?.cpuSeconds).toBe(frozen?.cpuSeconds);
  await docks.stop(id, { signal: 'SIGTERM', graceMs: 5000 }, never);
  expect(await docks.inspect(id, never)).toMatchObject({ state: 'stopped' });
  const gone = await docks.usage?.(id, never).catch(() => undefined);
  expect(gone?.memoryMiB ?? 0).toBe(0);
});

test('an image takes the layers alone that no other image has', async () => {
  const docks = await runtime();
  await ensureNodeImage(docker);
  const image = await buildAppImage(docker, {
    tag: 'pilotlight-test/disk:1',
    // A file that no other test has in an image.
    files: { '/app/own.ts': import.meta.filename },
    cmd: ['node', '/app/own.ts'],
  });
  const runs = [image, 'no-such-image:1'].map((name) => imageSpec({ image: name }).run);
  const usages = await docks.disk?.([...runs, containerSpec('other').run], never);
  const { Size } = expectStatus(await docker<{ Size: number }>('GET', `/images/${image}/json`), 200).json;
  expect(usages?.slice(1)).toEqual([undefined, undefined]);
  // The app's file alone is its own; Node, below it, is in other images too.
  expect(usages?.[0]?.alone).toBeGreaterThan(1000);
  expect(usages?.[0]?.alone).toBeLessThan(1024 * 1024);
  expect(usages?.[0]?.shared).toBe(Size - (usages?.[0]?.alone ?? 0));
  expect(usages?.[0]?.shared).toBeGreaterThan(50 * 1024 * 1024);
});
