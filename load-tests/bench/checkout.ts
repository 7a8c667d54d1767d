import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
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

/** Where checkouts of other revisions are kept. Node runs no sources below a `node_modules`. */
const REVISIONS = join(tmpdir(), 'pilotlight-revisions');

/**
 * The checkout in a folder, or that of a revision of this one, which is made and gets its packages (`npm ci`) unless it is
 * there from before.
 * @throws where it is neither, or cannot be made
 */
export function checkoutOf(folderOrRevision: string): Checkout {
  if (existsSync(folderOrRevision)) return checkoutAt(folderOrRevision);
  const found = spawnSync('git', ['-C', OWN_ROOT, 'rev-parse', '--verify', '--quiet', `${folderOrRevision}^{commit}`]);
  if (found.status !== 0) throw new Error(`${folderOrRevision} is neither a folder nor a revision of this checkout`);
  const commit = found.stdout.toString().trim();
  const root = join(REVISIONS, commit);
  if (existsSync(join(root, 'node_modules'))) return checkoutAt(root);
  console.log(`making a checkout of ${folderOrRevision} in ${root}`);
  rmSync(root, { recursive: true, force: true });
  run('git', 'clone', '--quiet', '--shared', '--no-checkout', OWN_ROOT, root);
  run('git', '-C', root, 'checkout', '--quiet', '--detach', commit);
  run('npm', 'ci', '--prefix', root, '--no-audit', '--no-fund', '--silent');
  return checkoutAt(root);
}

function run(command: string, ...args: string[]): void {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}

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
