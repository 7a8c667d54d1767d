/**
 * Checks the sources and where the tests lie against `architecture/rules.ts`. Prints a line per breach and exits 1;
 * exits 1 too when it finds nothing to check.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBreaches } from './architecture/find-breaches.ts';
import { RULES } from './architecture/rules.ts';
import { importsOf, type SourceFile } from './architecture/source.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

function filesOf(pattern: string): SourceFile[] {
  const paths = globSync(pattern, { cwd: root }).map((path) => path.split('\\').join('/'));
  return paths.sort().map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

const sources = filesOf('src/**/*.ts');
const breaches = findBreaches(sources, filesOf('test/**/*.ts'), RULES);
for (const line of breaches) process.stderr.write(`${line}\n`);
const imports = sources.flatMap(importsOf).length;
process.stdout.write(`architecture: ${sources.length} files, ${imports} imports, ${breaches.length} breaches\n`);
process.exitCode = breaches.length === 0 ? 0 : 1;
