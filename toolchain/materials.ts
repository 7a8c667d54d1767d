/**
 * Writes what the package is made of, for whoever has to account for it: a bill of materials (CycloneDX) and a list of
 * licences, of what is installed at run time. Part of `npm run build`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bill, type Lock, licenceList, ownMaterials } from './materials/bill.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'dist/materials');
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
const told = execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 2 ** 26,
});
const bill = ownMaterials(JSON.parse(told) as Bill, lock, { name, version });
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify(bill, null, 2)}\n`);
writeFileSync(join(folder, 'licences.txt'), licenceList(bill));
