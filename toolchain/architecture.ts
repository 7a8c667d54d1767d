/**
 * Checks the sources and where the tests lie against `architecture/rules.ts`, and that what documents and comments
 * point at is there. Prints a line per breach and exits 1; exits 1 too when it finds nothing to check.
 *
 * Usage: `npm run -s architecture [-- --figures [DIR]]`: with `--figures` it checks nothing and prints how the sources
 * lie, here or in another checkout.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeFigures } from './architecture/figures.ts';
import { findBreaches } from './architecture/find-breaches.ts';
import {
  findDeadAnchors,
  findDeadScripts,
  findDeadSigns,
  findUnknownReferences,
} from './architecture/find-dead-signs.ts';
import { RULES } from './architecture/rules.ts';
import { importsOf, type SourceFile } from './architecture/source.ts';

const [flag, folder, ...more] = process.argv.slice(2);
if ((flag !== undefined && flag !== '--figures') || more.length > 0) {
  process.stderr.write('usage: npm run -s architecture [-- --figures [DIR]]\n');
  process.exit(2);
}
const root = resolve(folder ?? join(dirname(fileURLToPath(import.meta.url)), '..'));

const WRITTEN = '{src,test,docs,config,toolchain,load-tests}/**/*.{ts,mjs,md,yaml,json}';

/** Paths from the root, with slashes. */
function pathsOf(...patterns: string[]): string[] {
  const paths = globSync(patterns, { cwd: root, exclude: ['**/node_modules'] });
  return paths.map((path) => path.split('\\').join('/')).sort();
}

const paths = pathsOf(WRITTEN, '*.*', 'LICENSE', 'Dockerfile');
const files = paths.map((path): SourceFile => ({ path, text: readFileSync(join(root, path), 'utf8') }));
const under = (folder: string) => files.filter(({ path }) => path.startsWith(folder) && path.endsWith('.ts'));

const sources = under('src/');
if (flag !== undefined) {
  process.stdout.write(`${describeFigures(sources).join('\n')}\n`);
  process.exit();
}
const documents = files.filter(({ path }) => path.endsWith('.md'));
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
const breaches = [
  ...findBreaches(sources, under('test/'), RULES),
  ...findDeadSigns(documents, pathsOf('**/*', '.ci/*', '.github/**/*')),
  ...findDeadAnchors(documents),
  ...findDeadScripts(documents, Object.keys(scripts)),
  ...findUnknownReferences(files),
];
for (const line of breaches) process.stderr.write(`${line}\n`);
const imports = sources.flatMap(importsOf).length;
process.stdout.write(`architecture: ${sources.length} files, ${imports} imports, ${breaches.length} breaches\n`);
process.exitCode = breaches.length === 0 ? 0 : 1;
