import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readHostMemory } from '../../src/util/host-memory.ts';

const MIB = 2 ** 20;
const MEMINFO = 'MemTotal:        1024000 kB\nMemFree:           1000 kB\nMemAvailable:     512000 kB\n';

/** Folders as the kernel has them. */
async function places(files: Record<string, string>) {
  const root = await mkdtemp('/tmp/host-memory-');
  onTestFinished(() => rm(root, { recursive: true }));
  for (const [path, text] of Object.entries({ 'proc/meminfo': MEMINFO, ...files })) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return { proc: join(root, 'proc'), cgroup: join(root, 'cgroup') };
}

test('without a limit, or where the limit is not for what is counted, it is that of the machine', async () => {
  const machine = { totalBytes: 1000 * MIB, availableBytes: 500 * MIB };
  const limited = { 'proc/self/cgroup': '0::/\n', 'cgroup/memory.max': '1000\n', 'cgroup/memory.current': '10\n' };
  expect(readHostMemory(false, await places(limited))).toEqual(machine);
  const unlimited = { ...limited, 'cgroup/memory.max': 'max\n' };
  expect(readHostMemory(true, await places(unlimited))).toEqual(machine);
  expect(readHostMemory(true, await places({}))).toEqual(machine);
});

test('the least limit of the control group and of those above it, without files that could be read again', async () => {
  const files = {
    'proc/self/cgroup': '0::/system.slice/pilotlight.service\n',
    'cgroup/system.slice/memory.max': `${300 * MIB}\n`,
    'cgroup/system.slice/memory.current': `${250 * MIB}\n`,
    'cgroup/system.slice/memory.stat': `anon 5\ninactive_file ${150 * MIB}\n`,
    'cgroup/system.slice/pilotlight.service/memory.max': `${400 * MIB}\n`,
    'cgroup/system.slice/pilotlight.service/memory.current': `${50 * MIB}\n`,
  };
  expect(readHostMemory(true, await places(files))).toEqual({ totalBytes: 300 * MIB, availableBytes: 200 * MIB });
  // Others are in the one above, which has less left though it may have more.
  const shared = { ...files, 'cgroup/system.slice/memory.max': `${450 * MIB}\n` };
  const crowded = { ...shared, 'cgroup/system.slice/memory.current': `${580 * MIB}\n` };
  expect(readHostMemory(true, await places(crowded))).toEqual({ totalBytes: 400 * MIB, availableBytes: 20 * MIB });
});

test('a container on a machine with control groups of version 1, whose own path is not to be seen from within', async () => {
  const files = {
    'proc/self/cgroup': '5:devices:/docker/abc\n4:memory:/docker/abc\n0::/\n',
    'cgroup/memory/memory.limit_in_bytes': `${200 * MIB}\n`,
    'cgroup/memory/memory.usage_in_bytes': `${80 * MIB}\n`,
    'cgroup/memory/memory.stat': `inactive_file 1\ntotal_inactive_file ${30 * MIB}\n`,
  };
  expect(readHostMemory(true, await places(files))).toEqual({ totalBytes: 200 * MIB, availableBytes: 150 * MIB });
  const boundless = { ...files, 'cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n' };
  expect(readHostMemory(true, await places(boundless)).totalBytes).toBe(1000 * MIB);
});

test('a system that does not tell', async () => {
  const nowhere = { proc: '/nowhere', cgroup: '/nowhere' };
  expect(readHostMemory(true, nowhere)).toEqual({ totalBytes: totalmem(), availableBytes: undefined });
});

test('this machine has some', () => {
  const { totalBytes, availableBytes = 0 } = readHostMemory(true);
  expect(totalBytes).toBeGreaterThan(64 * MIB);
  expect(availableBytes).toBeGreaterThan(0);
  expect(availableBytes).toBeLessThanOrEqual(totalBytes);
});
