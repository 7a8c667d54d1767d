import { findConfig } from '../config/read/find.ts';
import { PilotlightError } from '../model/errors.ts';
import type { Terminal } from './terminal.ts';

/** The absolute path of the configuration. @throws CONFIG_NOT_FOUND */
export async function locateConfig(
  explicit: string | undefined,
  { env, cwd }: Pick<Terminal, 'env' | 'cwd'>,
): Promise<string> {
  const found = await findConfig({ explicit, env, cwd });
  if ('file' in found) return found.file;
  throw configNotFound(found.searched);
}

export function configNotFound(searched: readonly string[]): PilotlightError {
  const advice = 'name one with -c FILE, have "pilotlight init" write one, or try "pilotlight demo"';
  return new PilotlightError('CONFIG_NOT_FOUND', `no configuration at ${searched.join(', ')}: ${advice}`);
}
