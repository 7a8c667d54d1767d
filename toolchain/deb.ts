/**
 * Makes a Debian package of what `npm pack` would publish and of the packages that it runs with:
 * `npm run -s package:deb [-- FOLDER]` writes `pilotlight_VERSION_all.deb` there, else here, and prints its path.
 * It needs `dpkg-deb`. The same sources give the same bytes: every time is that of the last commit.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { controlFile, PLACES } from './deb/layout.ts';

interface LockedPackage {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  link?: boolean;
}

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const { version, engines } = JSON.parse(read('package.json')) as { version: string; engines: { node: string } };
const [folder = '.'] = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), 'pilotlight-deb-'));
const tree = join(scratch, 'tree');
const run = (program: string, args: string[], cwd: string) =>
  execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 26 });

/** @returns the path of what would be published */
function pack(): string {
  const [made] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', scratch], root)) as [
    { filename: string },
  ];
  return join(scratch, made.filename);
}

/** Puts a file of the package into its place; manual pages and changes are compressed there, as Debian asks. */
function put(from: string, to: string): void {
  const place = join(tree, to);
  mkdirSync(join(place, '..'), { recursive: true });
  if (to.endsWith('.gz')) writeFileSync(place, gzipSync(readFileSync(from), { level: 9 }));
  else cpSync(from, place, { recursive: true });
}

/** Puts the packages that it runs with beside it: those that are locked, as they are installed here. */
function putPackages(to: string): void {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockedPackage> };
  for (const [path, { version, dev, optional, link }] of Object.entries(packages)) {
    if (!path.startsWith('node_modules/') || dev || optional || link) continue;
    const from = join(root, path);
    const installed = (JSON.parse(read(join(path, 'package.json'))) as { version: string }).version;
    if (installed !== version) throw new Error(`${path} is ${installed} here and locked as ${version}: run npm ci`);
    // Those within it come by themselves, and only compilers and debuggers read what is half of all bytes.
    const filter = (each: string) => relative(from, each) !== 'node_modules' && !/\.(?:map|d\.[cm]?ts)$/.test(each);
    cpSync(from, join(tree, to, path), { recursive: true, filter });
  }
}

try {
  run('tar', ['-xzf', pack()], scratch);
  const program = join(scratch, 'package');
  for (const [from, to] of PLACES) put(join(program, from), to);
  putPackages('usr/lib/pilotlight');
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  symlinkSync('../lib/pilotlight/dist/pilotlight.js', join(tree, 'usr/bin/pilotlight'));
  run('chmod', ['-R', 'u=rwX,go=rX', tree], root);
  chmodSync(join(tree, 'usr/lib/pilotlight/dist/pilotlight.js'), 0o755);

  const kibibytes = Number(run('du', ['-sk', '--apparent-size', tree], root).split('\t')[0]);
  const control = join(tree, 'DEBIAN');
  mkdirSync(control);
  const node = engines.node.replace('>=', '').trim();
  writeFileSync(join(control, 'control'), controlFile(read('packaging/debian/control'), { version, node, kibibytes }));
  writeFileSync(join(control, 'conffiles'), '/etc/pilotlight/config.yaml\n');
  for (const script of ['postinst', 'prerm', 'postrm']) {
    writeFileSync(join(control, script), read(`packaging/debian/${script}`));
    chmodSync(join(control, script), 0o755);
  }
  const out = resolve(folder, `pilotlight_${version}_all.deb`);
  const time = run('git', ['log', '-1', '--format=%ct'], root).trim();
  // The usual level takes twice the time and saves an eighth of the size.
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '-z3', '--build', tree, out], {
    env: { ...process.env, SOURCE_DATE_EPOCH: time },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  process.stdout.write(`${out}\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
