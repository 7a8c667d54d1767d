import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { blockBeginning, linesOf } from '../docs/pages.ts';
import { run } from '../support/command.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';
import { expectItWakesScalesUpgradesAndAdopts } from './installed.ts';
import { folder } from './program.ts';

// It is compiled, packed and installed with its dependencies.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 });

const ROOT = join(import.meta.dirname, '../..');
/** The commands of the page that leads through an installation, without what it says of them. */
const shown = (begins: string) =>
  linesOf(blockBeginning('docs/start.md', begins)).map((line) => line.replace(/ +#.*/, ''));

/** Both packages are made of what is compiled once. */
let made: string;
let tarball: string;

beforeAll(async () => {
  made = await mkdtemp(join(tmpdir(), 'pilotlight-packed-'));
  await run('npm', ['pack', '--pack-destination', made], { cwd: ROOT });
  [tarball = ''] = await readdir(made);
});

afterAll(() => rm(made, { recursive: true, force: true }));

test('the package installs into an empty folder, checks a configuration there, wakes, scales, upgrades and adopts, and runs embedded', async () => {
  const at = await folder();
  const npm = (...args: string[]) => run('npm', [...args, '--no-audit', '--no-fund'], { cwd: at });
  expect(shown('npm pack')).toEqual(['npm pack', `npm install --global ./${tarball}`, 'pilotlight version']);
  await writeFile(join(at, 'package.json'), '{"private": true, "type": "module"}');
  await npm('install', '--omit=optional', '--prefer-offline', join(made, tarball));

  const installed = join(at, 'node_modules/pilotlight');
  const { version } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  const cli = (...args: string[]) =>
    run(process.execPath, [join(at, 'node_modules/.bin/pilotlight'), ...args], { cwd: at });
  expect((await cli('version')).trim()).toBe(version);
  await cli('init', '--listen', '127.0.0.1:8080', '--host', 'a.test', '--serve', '127.0.0.1:3000');
  expect(await cli('check')).toContain('pilotlight.yaml is valid');
  expect(await readdir(join(installed, 'packaging'))).toEqual(['completions', 'debian', 'man', 'systemd']);
  // What it is made of: what runs, and none of the tools.
  const bill = JSON.parse(await readFile(join(installed, 'dist/materials/sbom.cdx.json'), 'utf8'));
  expect(bill).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'pilotlight', version } } });
  const licences = (await readFile(join(installed, 'dist/materials/licences.txt'), 'utf8')).trim().split('\n');
  const told = licences.map((line) => line.split(' ')[0]);
  const { dependencies } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  expect(Object.keys(dependencies).filter((name) => !told.includes(name))).toEqual([]);
  expect(told).not.toContain('vitest');
  for (const line of licences) expect(line).toMatch(/ (?:MIT|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|Unlicense)$/);

  const own = join(at, 'own');
  await mkdir(own);
  await expectItWakesScalesUpgradesAndAdopts([process.execPath, join(at, 'node_modules/.bin/pilotlight')], own);

  await writeFile(join(at, 'server.mjs'), await readFile(join(installed, 'config/embedded/server.mjs')));
  const listen = `127.0.0.1:${await freePort()}`;
  const env = { ...process.env, LISTEN: listen, ADMIN: `127.0.0.1:${await freePort()}`, STATE: join(at, 'state') };
  const child = spawn(process.execPath, ['server.mjs'], { cwd: at, env, stdio: ['ignore', 'pipe', 'inherit'] });
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

test('the Debian package says what it needs, installs into an empty system, and wakes, scales, upgrades and adopts there', async () => {
  const at = await folder();
  // What it packs has been compiled.
  const env = { npm_config_ignore_scripts: 'true' };
  const file = (await run('npm', ['run', '-s', 'package:deb', '--', at], { cwd: ROOT, env, timeout: 600_000 })).trim();
  const { version, engines } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  expect(file).toBe(join(at, `pilotlight_${version}_all.deb`));
  const install = `sudo apt install ./pilotlight_${version}_all.deb`;
  expect(shown('npm run -s package:deb')).toEqual(['npm run -s package:deb', install]);
  const told = await run('dpkg-deb', ['-f', file, 'Package', 'Version', 'Architecture', 'Depends']);
  const node = `nodejs (${engines.node.replace('>=', '>= ')})`;
  expect(told).toBe(`Package: pilotlight\nVersion: ${version}\nArchitecture: all\nDepends: ${node}\n`);
  const listed = (await run('dpkg-deb', ['-c', file])).trim().split('\n');
  // Nothing of it belongs to whoever made it, or was compiled for one machine.
  expect(listed.filter((line) => !line.includes(' root/root ') || /\.node$/.test(line))).toEqual([]);

  const system = join(at, 'system');
  for (const path of ['var/lib/dpkg/info', 'var/lib/dpkg/updates'])
    await mkdir(join(system, path), { recursive: true });
  await run('touch', [join(system, 'var/lib/dpkg/status')]);
  // There is no Node in that system: it runs with the one of the tests.
  const options = [`--root=${system}`, '--force-depends', '--force-script-chrootless'];
  await run('dpkg', [...options, '--install', file]);
  expect(await run('dpkg', [`--root=${system}`, '--verify', 'pilotlight'])).toBe('');
  for (const path of [
    'usr/lib/systemd/system/pilotlight.socket',
    'usr/share/man/man1/pilotlight.1.gz',
    'usr/share/bash-completion/completions/pilotlight',
    'usr/lib/pilotlight/dist/materials/licences.txt',
  ]) {
    expect((await stat(join(system, path))).size).toBeGreaterThan(0);
  }
  const unit = await readFile(join(system, 'usr/lib/systemd/system/pilotlight.service'), 'utf8');
  const [, program = '', config = ''] = /^ExecStart=\S+ \S+ (\S+) run -c (\S+)$/m.exec(unit) ?? [];
  const command = [process.execPath, join(system, program)];
  expect(await run(process.execPath, [join(system, program), 'version'])).toBe(`${version}\n`);
  const checked = await run(process.execPath, [join(system, program), 'check', '-c', join(system, config)]);
  expect(checked).toContain('is valid: 1 service, 1 route, 1 listener, 0 warnings');
  const own = join(at, 'own');
  await mkdir(own);
  await expectItWakesScalesUpgradesAndAdopts(command, own);

  const states = ['var/lib/private/pilotlight', 'var/lib/pilotlight'].map((path) => join(system, path));
  for (const path of states) {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'journal'), '');
  }
  await run('dpkg', [...options, '--remove', 'pilotlight']);
  // What may have been written by hand stays, and so does what was learnt.
  expect(await readFile(join(system, config), 'utf8')).toContain('services:');
  for (const path of states) expect((await stat(join(path, 'journal'))).isFile()).toBe(true);
  await expect(stat(join(system, program))).rejects.toThrow('ENOENT');
  await run('dpkg', [...options, '--purge', 'pilotlight']);
  for (const path of [...states, join(system, config)]) await expect(stat(path)).rejects.toThrow('ENOENT');
});

test('the Debian package is installed, removed and purged though systemd does nothing of what it is asked', async () => {
  const at = await folder();
  await writeFile(join(at, 'systemctl'), '#!/bin/sh\n[ "$1" = is-active ]\n', { mode: 0o755 });
  for (const [script, step] of [
    ['postinst', 'configure'],
    ['prerm', 'remove'],
    ['postrm', 'remove'],
  ] as const) {
    const text = await readFile(join(ROOT, 'packaging/debian', script), 'utf8');
    await writeFile(join(at, script), text.replaceAll('/run/systemd/system', at));
    await run('sh', [join(at, script), step], { env: { PATH: `${at}:/usr/bin:/bin` } });
  }
});
