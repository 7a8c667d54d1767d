import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { joinCluster } from '../../src/cluster-in-use.ts';
import { silentLogger } from '../../src/model/observe.ts';
import { systemClock } from '../../src/util/clock.ts';
import { FakeConsul, FakeLock } from '../control/cluster/fake-lock.ts';
import { FakeValues } from '../control/cluster/fake-values.ts';
import { testService, testSettings } from '../control/support/settings.ts';
import { FakeMetrics } from '../control/support/world.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

test('a reload while a new leader builds its control plane is in force there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-member-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const advertise = { host: '127.0.0.1', port: await freePort() };
  let current = testSettings([testService('before')]);
  const next = testSettings([testService('after')]);
  const common = { clock: systemClock, logger: silentLogger, instance: 'edge' };
  const { control, release } = joinCluster({
    cluster: { name: 'edge', secret: 'a-secret-of-many-characters', advertise, ttlMs: 10_000, leaseMs: 200 },
    planeOptions: { ...common, folder, names: undefined, metrics: new FakeMetrics(), runtimes: [] },
    settings: () => current,
    openSources: () => {
      current = next;
      return [];
    },
    openLock: (_, { member }) => new FakeLock(new FakeConsul(systemClock, 10_000), systemClock, member),
    openValues: () => new FakeValues(),
  });
  void control.start(new AbortController().signal);
  try {
    const names = async () => (await control.services().catch(() => [])).map(({ name }) => name);
    await until('it leads', async () => (await names()).length > 0);
    expect(await names()).toEqual(['after']);
    expect((await control.cluster?.())?.leader?.member).toBe(`127.0.0.1:${advertise.port}`);
  } finally {
    await control.shutdown(AbortSignal.timeout(5000));
    await release();
  }
});
