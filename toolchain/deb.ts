/**
 * Makes a Debian package of what `npm pack` would publish and of the packages that it runs with:
 * `npm run -s package:deb [-- FOLDER [PACKED]]` writes `pilotlight_VERSION_all.deb` there, else here, and prints its path;
 * PACKED is what `npm pack` made, where that has been done.
 * It needs `dpkg-deb`. The same sources give the same bytes: every time is that of the last commit.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { controlFile, PLACES } from './deb/layout.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const { version, engines } = JSON.parse(read('package.json')) as { version: string; engines: { node: string } };
const [folder = '.', packed] = process.argv.slice(2);
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

try {
  run('tar', ['-xzf', packed === undefined ? pack() : resolve(packed)], scratch);
  const program = join(scratch, 'package');
  // What is locked, not what a range would give today.
  const locked = join(scratch, 'locked');
  for (const path of ['package.json', 'package-lock.json']) cpSync(join(root, path), join(locked, path));
  const what = ['--workspaces=false', '--omit=dev', '--omit=optional'];
  run('npm', ['ci', ...what, '--prefer-offline', '--no-audit', '--no-fund', '--silent'], locked);
  // Only compilers and debuggers read these, and they are half of all bytes.
  for (const name of ['*.map', '*.d.ts', '*.d.mts', '*.d.cts']) {
    run('find', ['node_modules', '-type', 'f', '-name', name, '-delete'], locked);
  }

  for (const [from, to] of PLACES) put(join(program, from), to);
  put(join(locked, 'node_modules'), 'usr/lib/pilotlight/node_modules');
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
