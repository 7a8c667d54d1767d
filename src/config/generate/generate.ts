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

/** The generated files under `root` that do not say what their sources say. */
export async function staleFiles(root: string): Promise<string[]> {
  const stale: string[] = [];
  for (const [path, content] of Object.entries(generated())) {
    const present = await readFile(join(root, path), 'utf8').catch(() => undefined);
    if (present !== content) stale.push(path);
  }
  return stale;
}

/** Writes the generated files under `root`. */
export async function writeGenerated(root: string): Promise<void> {
  for (const [path, content] of Object.entries(generated())) {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  if (process.argv.includes('--check')) {
    const stale = await staleFiles(root);
    for (const path of stale) process.stderr.write(`${path} does not match its source: run npm run generate\n`);
    process.exitCode = stale.length > 0 ? 1 : 0;
  } else {
    await writeGenerated(root);
  }
}
