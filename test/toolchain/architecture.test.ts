import { expect, test } from 'vitest';
import { circlesIn } from '../../toolchain/architecture/circles.ts';
import { longestChain } from '../../toolchain/architecture/figures.ts';
import { findBreaches } from '../../toolchain/architecture/find-breaches.ts';
import type { Rules } from '../../toolchain/architecture/rules.ts';
import type { SourceFile } from '../../toolchain/architecture/source.ts';

const RULES: Rules = {
  mayImport: { 'main.ts': ['edge', 'runtime'], edge: [], runtime: [], config: [], pages: [], model: [], util: [] },
  rooms: { edge: ['edge.ts', 'client', 'exchange', 'io'] },
  apart: ['runtime'],
  kindsIn: ['config', 'main.ts'],
  confined: { yaml: 'config/', '@scope/thing': ['runtime/docker/', 'pages/'] },
  inBrowsers: ['pages'],
  environmentIn: ['config'],
  testsOfTheirOwn: ['support', 'property'],
  mostLines: 20,
};

/** A small tree that keeps the rules. */
const SOUND: Record<string, string> = {
  'src/main.ts': "import { edge } from './edge/edge.ts';\nimport './runtime/docker/runtime.ts';\n",
  'src/edge/edge.ts': "import { listen } from './client/listener.ts';\n",
  'src/edge/client/listener.ts': "import type { Exchange } from '../exchange/exchange.ts';\nimport 'node:net';\n",
  'src/edge/exchange/exchange.ts': "import { deadline } from '../io/deadlines.ts';\n",
  'src/edge/io/deadlines.ts': "import type { Clock } from '../../util/clock.ts';\n",
  'src/runtime/docker/runtime.ts': "import thing from '@scope/thing';\n",
  'src/runtime/process/runtime.ts': '',
  'src/config/parse.ts': "import { parse } from 'yaml';\nconst from = process.env;\n",
  'src/pages/main.ts':
    "import type { Link } from '../model/link.ts';\nimport type thing from '@scope/thing';\nimport { h } from './dom.ts';\n",
  'src/pages/dom.ts': '',
  'src/model/link.ts': '',
  'src/util/clock.ts': '',
  'test/edge/io/deadlines.test.ts': '',
  'test/support/until.test.ts': '',
  'test/property/control/starts.test.ts': '',
};

/** What the sound tree breaks once these files are in it, or instead of those of the same path. */
function breachesWith(planted: Record<string, string>, rules = RULES): string[] {
  const files: SourceFile[] = Object.entries({ ...SOUND, ...planted }).map(([path, text]) => ({ path, text }));
  const under = (folder: string) => files.filter(({ path }) => path.startsWith(folder));
  return findBreaches(under('src/'), under('test/'), rules);
}

test('a tree that keeps the rules has no breach', () => {
  expect(breachesWith({})).toEqual([]);
});

test('nothing to check is a breach: a check that looks at the wrong place must not pass', () => {
  expect(findBreaches([], [], { ...RULES, rooms: {} })).toEqual(['src: nothing to check: 0 files, 0 imports']);
});

test('an import between folders that the table does not allow', () => {
  const planted = { 'src/edge/io/deadlines.ts': "import { parse } from '../../config/parse.ts';\n" };
  expect(breachesWith(planted)).toEqual(['src/edge/io/deadlines.ts: imports config (../../config/parse.ts)']);
});

test.each([
  ['import', "import { edge } from '../edge.ts';\n"],
  ['import of a type', "import type { Edge } from '../edge.ts';\n"],
  ['import of several lines', "import {\n  type Edge,\n  edge,\n} from '../edge.ts';\n"],
  ['export', "export { edge } from '../edge.ts';\n"],
  ['import of effects', "import '../edge.ts';\n"],
  ['import when needed', "const edge = await import('../edge.ts');\n"],
  ['type in place', "let edge: import('../edge.ts').Edge;\n"],
])('an import upwards, by %s', (_, text) => {
  expect(breachesWith({ 'src/edge/io/buffers.ts': text })).toEqual([
    'src/edge/io/buffers.ts: imports upwards, src/edge/edge.ts',
  ]);
});

test('a circle of types inside a room', () => {
  const planted = {
    'src/edge/io/a.ts': "import type { B } from './b.ts';\n",
    'src/edge/io/b.ts': "import type { C } from './c.ts';\n",
    'src/edge/io/c.ts': "import type { A } from './a.ts';\n",
  };
  expect(breachesWith(planted)).toEqual([
    'src/edge/io/a.ts: stands in a circle: edge/io/a.ts → edge/io/b.ts → edge/io/c.ts → edge/io/a.ts',
  ]);
});

test('a circle over two folders that may import each other', () => {
  const planted = {
    'src/model/link.ts': "import { clock } from '../util/clock.ts';\n",
    'src/util/clock.ts': "import type { Link } from '../model/link.ts';\n",
  };
  expect(breachesWith(planted)).toEqual([
    'src/model/link.ts: stands in a circle: model/link.ts → util/clock.ts → model/link.ts',
  ]);
});

test('a file that imports itself', () => {
  const planted = { 'src/util/clock.ts': "import type { Clock } from './clock.ts';\n" };
  expect(breachesWith(planted)).toEqual(['src/util/clock.ts: stands in a circle: util/clock.ts → util/clock.ts']);
});

test('siblings that know each other', () => {
  const planted = { 'src/runtime/process/runtime.ts': "import { stop } from '../docker/runtime.ts';\n" };
  expect(breachesWith(planted)).toEqual([
    'src/runtime/process/runtime.ts: imports its sibling, src/runtime/docker/runtime.ts',
  ]);
});

test('a kind that is spelled out where it is not at home', () => {
  const docker = "const kind = 'docker';\n";
  const atHome = { 'src/runtime/docker/run.ts': docker, 'src/config/run.ts': docker, 'src/main.ts': docker };
  expect(breachesWith(atHome)).toEqual([]);
  expect(breachesWith({ 'src/edge/io/kinds.ts': docker, 'src/runtime/process/kinds.ts': docker })).toEqual([
    'src/edge/io/kinds.ts: spells out docker, a kind of runtime',
    'src/runtime/process/kinds.ts: spells out docker, a kind of runtime',
  ]);
  expect(breachesWith({ 'src/edge/io/kinds.ts': "type Kind = 'docker-container' | 'dockers';\n" })).toEqual([
    'src/edge/io/kinds.ts: spells out docker-container, a kind of runtime',
  ]);
});

test('a package outside of its folder, and one that has none', () => {
  const planted = { 'src/util/text.ts': "import { parse } from 'yaml/lib';\nimport thing from '@scope/other/deep';\n" };
  expect(breachesWith(planted)).toEqual([
    'src/util/text.ts: imports the package yaml, which is confined to src/config/',
    'src/util/text.ts: imports the package @scope/other, which is confined nowhere',
  ]);
});

test('code for browsers that takes more than types from elsewhere', () => {
  const planted =
    "import { type Link } from '../model/link.ts';\nimport 'node:net';\nexport { parse } from '@scope/thing';\n";
  expect(breachesWith({ 'src/pages/main.ts': planted })).toEqual([
    'src/pages/main.ts: imports ../model/link.ts for more than its types, in a browser',
    'src/pages/main.ts: imports node:net for more than its types, in a browser',
    'src/pages/main.ts: imports @scope/thing for more than its types, in a browser',
  ]);
});

test('a folder, and a room, that the rules do not know', () => {
  const planted = { 'src/extra/one.ts': '', 'src/edge/attic/two.ts': '', 'src/edge/three.ts': '' };
  expect(breachesWith(planted)).toEqual([
    'src/extra/one.ts: lies in extra, which the rules do not know',
    'src/edge/attic/two.ts: lies in edge/attic, which the list of rooms does not know',
    'src/edge/three.ts: lies in edge/three.ts, which the list of rooms does not know',
  ]);
});

test('a room that the rules name and nobody lives in', () => {
  expect(breachesWith({}, { ...RULES, rooms: { edge: ['edge.ts', 'client', 'exchange', 'tcp', 'io'] } })).toEqual([
    'src/edge: has no tcp, which the list of rooms names',
  ]);
});

test('the environment read elsewhere', () => {
  const planted = { 'src/util/home.ts': "const home = process.env['HOME'];\nconst { env } = run.process.env;\n" };
  expect(breachesWith(planted)).toEqual(['src/util/home.ts: reads process.env']);
  expect(breachesWith({ 'src/util/run.ts': 'const { env } = run.process.env;\n' })).toEqual([]);
});

test('an import from outside of src', () => {
  const planted = { 'src/util/help.ts': "import { until } from '../../test/support/until.ts';\n" };
  expect(breachesWith(planted)).toEqual(['src/util/help.ts: imports ../../test/support/until.ts from outside of src']);
});

test('a file that is too long to read in a sitting', () => {
  expect(breachesWith({ 'src/util/long.ts': '\n'.repeat(21) })).toEqual(['src/util/long.ts: has 21 lines, 20 at most']);
});

test('a test away from its source', () => {
  const planted = { 'test/edge/hold/queue.test.ts': '', 'test/edge/hold/help.ts': '', 'test/new/a.test.ts': '' };
  expect(breachesWith(planted)).toEqual([
    'test/edge/hold/queue.test.ts: tests nothing of src/edge/hold, which does not exist',
    'test/new/a.test.ts: tests nothing of src/new, which does not exist',
  ]);
});

test('circles that share a file are one group, and a file beside them is in none', () => {
  const graph = new Map([
    ['start', ['a']],
    ['a', ['b', 'c']],
    ['b', ['a']],
    ['c', ['d']],
    ['d', ['a', 'end']],
    ['end', []],
    ['x', ['y']],
    ['y', ['x']],
  ]);
  expect(circlesIn(graph)).toEqual([
    ['a', 'b', 'c', 'd'],
    ['x', 'y'],
  ]);
});

test('the longest chain counts every file of a circle on its way', () => {
  const graph = new Map([
    ['start', ['a', 'short']],
    ['short', ['end']],
    ['a', ['b']],
    ['b', ['a', 'end']],
    ['end', []],
  ]);
  expect(longestChain(graph)).toBe(4);
});
