import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Env } from './substitute.ts';

/**
 * Finds the configuration file: `explicit`, `$PILOTLIGHT_CONFIG` (these two are taken as they are, so that a wrong name
 * is reported and not passed over), `./pilotlight.yaml`, `$XDG_CONFIG_HOME/pilotlight/config.yaml` (`~/.config` where it
 * is not set), `/etc/pilotlight/config.yaml`. Answers its absolute path, or every place that was looked at.
 */
export async function findConfig(options: {
  explicit: string | undefined;
  env: Env;
  cwd: string;
}): Promise<{ file: string } | { searched: string[] }> {
  const { explicit, env, cwd } = options;
  const named = explicit ?? (env['PILOTLIGHT_CONFIG'] || undefined);
  if (named !== undefined) return { file: resolve(cwd, named) };
  const home = env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config');
  const places = [
    resolve(cwd, 'pilotlight.yaml'),
    resolve(cwd, home, 'pilotlight/config.yaml'),
    '/etc/pilotlight/config.yaml',
  ];
  for (const file of places) {
    const there = await access(file).then(
      () => true,
      () => false,
    );
    if (there) return { file };
  }
  return { searched: places };
}
