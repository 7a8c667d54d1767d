import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { LocalFiles, SharedOrderFiles } from '../../../src/certificates/acme/order-files.ts';
import { FakeCluster } from '../fake-secrets.ts';

const HOST = 'ca/certificates/shop.example';

test('a member that was away shares nothing of a host that the others know of, and drops what it had besides', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-orders-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const cluster = new FakeCluster();
  const local = new LocalFiles(folder);
  await local.write(`${HOST}.json`, 'it failed then');
  await local.write(`${HOST}.pem`, 'an earlier one');
  await local.write('ca/certificates/mail.example.json', 'only here');
  cluster.values.set(`acme/${HOST}.pem`, 'the present one');
  const member = cluster.member();
  cluster.lead(member);
  const files = new SharedOrderFiles(folder, member);
  await files.shareOwn();
  expect(await files.read(`${HOST}.json`)).toBeUndefined();
  expect(await local.list()).not.toContain(`${HOST}.json`);
  expect(await files.read(`${HOST}.pem`)).toBe('the present one');
  expect([...cluster.values.keys()].toSorted()).toEqual(['acme/ca/certificates/mail.example.json', `acme/${HOST}.pem`]);
});
