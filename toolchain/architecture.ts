/**
 * Checks who imports what against the table below, and that packages and the environment stay in the folders they are
 * confined to. Prints a line per breach and exits 1; exits 1 too when it finds nothing to check.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Folder (or file) of src → the other folders that it may import. Everything may import util and model. */
const MAY_IMPORT: Record<string, string[]> = {
  'main.ts': ['admin', 'cli', 'config', 'control', 'discovery', 'edge', 'observe', 'runtime', 'workers', 'first.ts'],
  'pilotlight.ts': ['first.ts', 'main.ts'],
  'first.ts': [],
  'worker.ts': ['edge', 'observe', 'workers'],
  cli: ['config'],
  config: [],
  model: [],
  edge: [],
  control: [],
  discovery: [],
  runtime: [],
  admin: [],
  dashboard: [],
  observe: [],
  workers: [],
  util: [],
};

/** Folders whose parts (told by the first word of the file's name) do not import each other. */
const SIBLINGS: Record<string, string[]> = { discovery: ['static', 'consul'], runtime: ['process', 'docker'] };

/**
 * The rooms of a plane, from top to bottom: a room, or a file that lies in none, imports only what comes after it. What a
 * list does not name breaks the check.
 */
const ROOMS: Record<string, string[]> = {
  edge: [
    'edge.ts',
    'client',
    'tcp',
    'exchange',
    'route',
    'service',
    'hold',
    'health',
    'answer',
    'balance',
    'upstream',
    'http1',
    'io',
    'context.ts',
  ],
  control: [
    'create-control.ts',
    'admin-address.ts',
    'hand-over.ts',
    'cluster',
    'service',
    'journal',
    'scale',
    'replica',
    'start',
    'endpoints',
    'link',
    'retry.ts',
    'context.ts',
  ],
};

/** Package → the only place in src that may import it (a folder, or the beginning of file names). */
const CONFINED: Record<string, string> = {
  dockerode: 'runtime/docker/',
  consul: 'discovery/consul/',
  zod: 'config/',
  yaml: 'config/',
  pino: 'observe/',
  'cli-table3': 'cli/',
  'node-cache': 'admin/',
  'http-proxy': 'edge/upstream/http-proxy-engine',
};

const ENVIRONMENT_IN = ['config', 'cli'];

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'";]*?from\s*'([^']+)'|(?:^|[^.\w])import\(\s*'([^']+)'\s*\)|(?:^|\n)\s*import\s*'([^']+)'/g;

const files = globSync('src/**/*.ts', { cwd: root }).map((file) => file.split('\\').join('/'));
const breaches: string[] = [];
/** File → the files of its own folder of src that it imports, for the search for circles. */
const graph = new Map<string, string[]>();
let imports = 0;

for (const file of files.sort()) {
  const text = readFileSync(join(root, file), 'utf8');
  const inside = file.slice('src/'.length);
  const folder = folderOf(inside);
  if (!(folder in MAY_IMPORT)) breach(file, `lies in ${folder}, which the table does not know`);
  if (/\bprocess\.env\b/.test(text) && !ENVIRONMENT_IN.includes(folder)) breach(file, 'reads process.env');
  for (const match of text.matchAll(IMPORT)) {
    imports++;
    checkImport(file, inside, folder, (match[1] ?? match[2] ?? match[3]) as string);
  }
}

function checkImport(file: string, inside: string, folder: string, target: string): void {
  if (target.startsWith('node:')) return;
  if (!target.startsWith('.')) {
    const name = target
      .split('/')
      .slice(0, target.startsWith('@') ? 2 : 1)
      .join('/');
    const place = CONFINED[name];
    if (place === undefined) breach(file, `imports the package ${name}, which is confined nowhere`);
    else if (!inside.startsWith(place)) breach(file, `imports the package ${name}, which is confined to src/${place}`);
    return;
  }
  const resolved = posix.normalize(posix.join(posix.dirname(inside), target));
  const other = folderOf(resolved);
  if (resolved.startsWith('..')) breach(file, `imports ${target} from outside of src`);
  else if (other === folder) {
    checkSiblings(file, inside, folder, resolved);
    checkRooms(file, inside, folder, resolved);
    graph.set(inside, [...(graph.get(inside) ?? []), resolved]);
  } else if (other !== 'util' && other !== 'model' && !(MAY_IMPORT[folder] ?? []).includes(other)) {
    breach(file, `imports ${other} (${target})`);
  }
}

function checkSiblings(file: string, inside: string, folder: string, resolved: string): void {
  const parts = SIBLINGS[folder];
  if (parts === undefined) return;
  const partOf = (path: string) => parts.find((part) => path.slice(folder.length + 1).startsWith(part));
  const from = partOf(inside);
  const to = partOf(resolved);
  if (from !== undefined && to !== undefined && from !== to) breach(file, `imports its sibling ${resolved}`);
}

/** Inside a plane imports lead downwards, types included. */
function checkRooms(file: string, inside: string, folder: string, resolved: string): void {
  const rooms = ROOMS[folder];
  if (rooms === undefined) return;
  const roomOf = (path: string) => folderOf(path.slice(folder.length + 1));
  const [from, to] = [roomOf(inside), roomOf(resolved)];
  if (!rooms.includes(from)) breach(file, `lies in ${folder}/${from}, which the list of rooms does not know`);
  else if (from !== to && rooms.indexOf(to) < rooms.indexOf(from)) breach(file, `imports upwards, ${resolved}`);
}

/** No file may lead back to itself, not even by types. Tells each circle once, by its first file. */
function checkCircles(): void {
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) breach(`src/${file}`, `stands in a circle: ${[...path.slice(at), file].join(' → ')}`);
    if (at >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
}

function folderOf(path: string): string {
  const slash = path.indexOf('/');
  return slash < 0 ? path : path.slice(0, slash);
}

function breach(file: string, what: string): void {
  breaches.push(`${file}: ${what}`);
}

checkCircles();
if (files.length === 0 || imports === 0) breaches.push(`nothing to check: ${files.length} files, ${imports} imports`);
for (const line of breaches) process.stderr.write(`${line}\n`);
process.stdout.write(`architecture: ${files.length} files, ${imports} imports, ${breaches.length} breaches\n`);
process.exitCode = breaches.length === 0 ? 0 : 1;
