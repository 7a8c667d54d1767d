import { expect, test } from 'vitest';
import { descriptorLimit, descriptorWarning, shareDescriptors } from '../../src/util/descriptors.ts';

test.each([64, 100, 256, 1024, 20_000, 1_048_576])(
  'of %i descriptors, clients, services and the rest have theirs',
  (limit) => {
    const { clients, overLimit } = shareDescriptors(limit);
    expect(clients).toBeGreaterThan(0);
    expect(clients + Math.min(clients, 4096) + overLimit + 64).toBeLessThanOrEqual(Math.max(limit, 68));
  },
);

test('the system tells its limit', () => {
  expect(descriptorLimit()).toBeGreaterThan(0);
});

test('a limit that is too low for what is configured is said, with the one that is enough', () => {
  const warning = descriptorWarning(256, 10_000, 1);
  expect(warning).toContain('256 open files');
  expect(warning).toContain('84 connections');
  expect(warning).toContain('LimitNOFILE=14416');
  expect(descriptorWarning(14_416, 10_000, 1)).toBeUndefined();
  expect(descriptorWarning(1024, 1000, 1)).toContain('LimitNOFILE=2320');
});

test('each worker has a limit of its own', () => {
  expect(descriptorWarning(14_415, 20_000, 1)).toBeDefined();
  expect(descriptorWarning(14_416, 20_000, 2)).toBeUndefined();
  expect(descriptorWarning(1024, 20_000, 2)).toContain('for each process');
});
