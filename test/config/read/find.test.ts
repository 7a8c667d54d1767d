import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findConfig } from '../../../src/config/read/find.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilotlight-find-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function touch(path: string): Promise<string> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, '');
  return file;
}

test('the file that was named is taken, there or not', async () => {
  await touch('cwd/pilotlight.yaml');
  const options = { env: { PILOTLIGHT_CONFIG: '/b.yaml' }, cwd: join(folder, 'cwd') };
  expect(await findConfig({ explicit: 'a.yaml', ...options })).toEqual({ file: join(folder, 'cwd/a.yaml') });
  expect(await findConfig({ explicit: undefined, ...options })).toEqual({ file: '/b.yaml' });
});

test('the working directory comes before the configuration folder of the user', async () => {
  const user = await touch('xdg/pilotlight/config.yaml');
  const options = { explicit: undefined, env: { XDG_CONFIG_HOME: join(folder, 'xdg') }, cwd: join(folder, 'cwd') };
  expect(await findConfig(options)).toEqual({ file: user });
  const local = await touch('cwd/pilotlight.yaml');
  expect(await findConfig(options)).toEqual({ file: local });
});

test('without XDG_CONFIG_HOME it is ~/.config, and an empty variable is none', async () => {
  const user = await touch('home/.config/pilotlight/config.yaml');
  const env = { HOME: join(folder, 'home'), XDG_CONFIG_HOME: '', PILOTLIGHT_CONFIG: '' };
  expect(await findConfig({ explicit: undefined, env, cwd: folder })).toEqual({ file: user });
});

test('where nothing is, every place is told', async () => {
  expect(await findConfig({ explicit: undefined, env: { HOME: join(folder, 'home') }, cwd: folder })).toEqual({
    searched: [
      join(folder, 'pilotlight.yaml'),
      join(folder, 'home/.config/pilotlight/config.yaml'),
      '/etc/pilotlight/config.yaml',
    ],
  });
});
