import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { findProgram, run } from '../support/command.ts';
import { aptInstall } from '../support/debian.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

// It is compiled, packed and installed with its dependencies.
vi.setConfig({ testTimeout: 600_000 });

const ROOT = join(import.meta.dirname, '../..');

test('the package installs into an empty folder, checks a configuration there, and runs embedded', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-package-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const npm = (...args: string[]) => run('npm', [...args, '--no-audit', '--no-fund'], { cwd: folder });
  await run('npm', ['pack', '--pack-destination', folder], { cwd: ROOT });
  const [tarball = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
  await writeFile(join(folder, 'package.json'), '{"private": true, "type": "module"}');
  await npm('install', '--omit=optional', '--prefer-offline', join(folder, tarball));

  const installed = join(folder, 'node_modules/pilotlight');
  const { version } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  const cli = (...args: string[]) =>
    run(process.execPath, [join(folder, 'node_modules/.bin/pilotlight'), ...args], { cwd: folder });
  expect((await cli('version')).trim()).toBe(version);
  await cli('init', '--listen', '127.0.0.1:8080', '--host', 'a.test', '--serve', '127.0.0.1:3000');
  expect(await cli('check')).toContain('pilotlight.yaml is valid');
  expect(await readdir(join(installed, 'packaging'))).toEqual(['completions', 'man', 'systemd']);
  // What it is made of: what runs, and none of the tools.
  const bill = JSON.parse(await readFile(join(installed, 'dist/materials/sbom.cdx.json'), 'utf8'));
  expect(bill).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'pilotlight', version } } });
  const licences = (await readFile(join(installed, 'dist/materials/licences.txt'), 'utf8')).trim().split('\n');
  const told = licences.map((line) => line.split(' ')[0]);
  const { dependencies } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  expect(Object.keys(dependencies).filter((name) => !told.includes(name))).toEqual([]);
  expect(told).not.toContain('vitest');
  for (const line of licences) expect(line).toMatch(/ (?:MIT|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|Unlicense)$/);

  await writeFile(join(folder, 'server.mjs'), await readFile(join(installed, 'config/embedded/server.mjs')));
  const listen = `127.0.0.1:${await freePort()}`;
  const env = { ...process.env, LISTEN: listen, ADMIN: `127.0.0.1:${await freePort()}`, STATE: join(folder, 'state') };
  const child = spawn(process.execPath, ['server.mjs'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (text) => {
    said += text;
  });
  await until('it serves', () => said.includes('serving on'));
  // The service sleeps: the request wakes it.
  expect(await (await fetch(`http://${listen}/`)).text()).toBe('hello\n');
  expect(said).toContain('ready: hello ready');
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
});

test('the unit of systemd is exposed to little', async () => {
  if (findProgram('systemd-analyze') === undefined) await aptInstall(['systemd']);
  const unit = join(ROOT, 'packaging/systemd/pilotlight.service');
  const told = await run('systemd-analyze', ['security', '--offline=true', '--threshold=30', unit]);
  expect(Number(/exposure level for pilotlight\.service: ([\d.]+)/.exec(told)?.[1])).toBeLessThanOrEqual(3);
});
