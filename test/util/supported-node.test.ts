import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeRefusal, OLDEST_NODE } from '../../src/util/supported-node.ts';

const root = join(import.meta.dirname, '../..');

test('the oldest Node is the one that package.json names', () => {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(engines.node).toBe(`>=${OLDEST_NODE.join('.')}`);
});

test.each(['22.19.0', '22.20.1', '23.0.0', '24.21.0', '100.0.0'])('Node %s runs it', (version) => {
  expect(nodeRefusal(version)).toBeUndefined();
});

test.each(['22.18.9', '20.20.2', '18.0.0', '9.11.2'])('Node %s does not, which is said in a line', (version) => {
  expect(nodeRefusal(version)).toBe(`this is Node ${version}: Pilotlight needs Node 22.19 or newer`);
});

test.each(['pilotlight.ts', 'program.ts'])(
  '%s ends with that line on an old Node, before it loads the rest',
  (file) => {
    const old = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })`;
    const args = [`--import=data:text/javascript,${encodeURIComponent(old)}`, join(root, 'src', file), 'run'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: 'pilotlight: this is Node 20.20.2: Pilotlight needs Node 22.19 or newer\n',
    });
  },
);

test('the program is loaded after that: an old Node cannot even link it', () => {
  const imports = readFileSync(join(root, 'src/pilotlight.ts'), 'utf8').match(/^import .*$/gm);
  expect(imports).toEqual(["import './first.ts';"]);
});
