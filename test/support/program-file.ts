import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type OutputChunk, type Plugin, rolldown } from 'rolldown';

const ROOT = join(import.meta.dirname, '../..');
const SOURCES = join(ROOT, 'src');
const KEPT = join(ROOT, 'node_modules/.cache/pilotlight/programs');
const KEPT_FOR_MS = 24 * 60 * 60 * 1000;
const VARIABLE = 'PILOTLIGHT_TEST_PROGRAM';

/** What is started as a process by its file, and looks for others of these beside itself. */
const ENTRIES = ['pilotlight', 'first', 'worker', 'config/load/parse-process'];
const BESIDE = ['main.ts', 'config/load/parse-apart.ts'].map((name) => join(SOURCES, name));

/**
 * The file to start the program by: the sources, or, within a test run, what `bundleProgram` made of them. One start of
 * some 400 modules takes twice the CPU time of one of their bundle (0.85 s against 0.43 s), and a run makes hundreds.
 */
export const MAIN = process.env[VARIABLE] ?? join(SOURCES, 'pilotlight.ts');

/** Bundles the sources as they are now for the tests of this run, which find the file by `MAIN`. */
export async function bundleProgram(): Promise<void> {
  const input = Object.fromEntries(ENTRIES.map((name) => [name.split('/').at(-1), join(SOURCES, `${name}.ts`)]));
  const bundle = await rolldown({ input, platform: 'node', external: ['ssh2', 'cpu-features'], plugins: [AT_HOME] });
  const { output } = await bundle.generate({ format: 'esm' });
  await bundle.close();
  const chunks = output.filter((part): part is OutputChunk => part.type === 'chunk');
  process.env[VARIABLE] = join(await keep(chunks), 'pilotlight.js');
}

/** The modules of the bundle find the files of the repository where their sources would. */
const AT_HOME: Plugin = {
  name: 'at-home',
  transform(code, id) {
    if (!id.startsWith(SOURCES) || BESIDE.includes(id) || !code.includes('import.meta.')) return null;
    return code
      .replaceAll('import.meta.dirname', JSON.stringify(dirname(id)))
      .replaceAll('import.meta.filename', JSON.stringify(id))
      .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href));
  },
};

/** Writes the files into a folder named after what they are, unless it is there: others may run it at the same time. */
async function keep(chunks: readonly OutputChunk[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { fileName, code } of chunks) hash.update(fileName).update(code);
  const folder = join(KEPT, hash.digest('hex').slice(0, 16));
  await mkdir(KEPT, { recursive: true });
  if (await isKept(folder)) return folder;
  await sweep();
  const made = await mkdtemp(join(KEPT, 'new-'));
  await Promise.all(chunks.map(({ fileName, code }) => writeFile(join(made, fileName), code)));
  await writeFile(join(made, 'package.json'), '{ "type": "module" }\n');
  // Tests start it as other users, too.
  await chmod(made, 0o755);
  await rename(made, folder).catch(() => rm(made, { recursive: true }));
  return folder;
}

/** Removes what no run has asked for lately. */
async function sweep(): Promise<void> {
  for (const name of await readdir(KEPT)) {
    // Another run may have renamed or removed it.
    const found = await stat(join(KEPT, name)).catch(() => undefined);
    if (found === undefined || Date.now() - found.mtimeMs <= KEPT_FOR_MS) continue;
    await rm(join(KEPT, name), { recursive: true, force: true });
  }
}

/** Whether it is there; it stays for another while then. */
function isKept(folder: string): Promise<boolean> {
  const now = new Date();
  return utimes(folder, now, now).then(
    () => true,
    () => false,
  );
}
