import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorsPage } from './errors-page.ts';
import { jsonSchema } from './json-schema.ts';
import { referencePage } from './reference.ts';

/** What is made from the schema and the tables of errors: path from the project's root, and content. */
export function generated(): Record<string, string> {
  return {
    'config/schema.json': `${JSON.stringify(jsonSchema(), null, 2)}\n`,
    'docs/configuration.md': referencePage(),
    'docs/errors.md': errorsPage(),
  };
}

/** The files under `root` that do not say what their sources say. @param files content by path from the root */
export async function staleFiles(root: string, files = generated()): Promise<string[]> {
  const stale: string[] = [];
  for (const [path, content] of Object.entries(files)) {
    const present = await readFile(join(root, path), 'utf8').catch(() => undefined);
    if (present !== content) stale.push(path);
  }
  return stale;
}

/** Writes the files under `root`. */
export async function writeGenerated(root: string, files = generated()): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

/** Writes the files of the project, or with `--check` says which are stale and has the process end with 1. */
export async function generate(files: Record<string, string>, args: readonly string[]): Promise<void> {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  if (!args.includes('--check')) return writeGenerated(root, files);
  const stale = await staleFiles(root, files);
  for (const path of stale) process.stderr.write(`${path} does not match its source: run npm run generate\n`);
  if (stale.length > 0) process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await generate(generated(), process.argv);
