import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, isAbsolute, join, resolve } from 'node:path';

/** A folder with Pilotlight's sources that can be started. */
export interface Checkout {
  /** The commit, with `+` where files differ from it; the name of the folder where git knows none. */
  name: string;
  /** What stands after `node` in its `pilotlight` script, with the path of the program made absolute. */
  command: readonly string[];
}

/** The checkout that this file lies in. */
export const OWN_ROOT = join(import.meta.dirname, '../..');

/**
 * The checkout in a folder. Its `package.json` says how it is started: the program may lie elsewhere than here.
 * @throws where the folder is none of Pilotlight, or its packages are not installed
 */
export function checkoutAt(folder: string): Checkout {
  const root = resolve(folder);
  const script = scriptOf(root);
  if (!existsSync(join(root, 'node_modules'))) throw new Error(`${folder} has no node_modules: npm ci there first`);
  const words = script.split(' ');
  const after = words.slice(words.indexOf('node') + 1);
  const command = after.map((word) => (word.startsWith('-') || isAbsolute(word) ? word : join(root, word)));
  return { name: commitOf(root) ?? basename(root), command };
}

function scriptOf(root: string): string {
  const file = join(root, 'package.json');
  if (!existsSync(file)) throw new Error(`${root} is no checkout: it has no package.json`);
  const { name, scripts = {} } = JSON.parse(readFileSync(file, 'utf8')) as {
    name?: string;
    scripts?: Record<string, string>;
  };
  const script = scripts['pilotlight'];
  if (name !== 'pilotlight' || script === undefined) throw new Error(`${root} is no checkout of Pilotlight`);
  return script;
}

/** Undefined where the folder is not the top of a working tree: one above it says nothing of what lies in it. */
function commitOf(root: string): string | undefined {
  if (!existsSync(join(root, '.git'))) return undefined;
  const git = (...args: string[]) => spawnSync('git', ['-C', root, ...args], { encoding: 'utf8' });
  const { status, stdout } = git('rev-parse', '--short', 'HEAD');
  if (status !== 0) return undefined;
  const isChanged = git('status', '--porcelain', '--untracked-files=no').stdout !== '';
  return stdout.trim() + (isChanged ? '+' : '');
}
