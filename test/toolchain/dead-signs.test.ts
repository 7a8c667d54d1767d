import { expect, test } from 'vitest';
import {
  findDeadAnchors,
  findDeadScripts,
  findDeadSigns,
  findUnknownReferences,
} from '../../toolchain/architecture/find-dead-signs.ts';

const PATHS = ['README.md', 'docs/errors.md', 'src/edge/io/deadlines.ts', 'config/demo.yaml'];

const signsIn = (text: string, path = 'README.md') => findDeadSigns([{ path, text }], PATHS);

test('places and links that are there', () => {
  const text = 'See `src/edge/io/`, `src/edge/io/deadlines.ts`, `config/demo.yaml`, [errors](docs/errors.md#codes).';
  expect(signsIn(text)).toEqual([]);
  expect(signsIn('[up](../README.md) [here](errors.md) [part](#part)', 'docs/errors.md')).toEqual([]);
});

test('places that stand for others, and addresses elsewhere', () => {
  expect(signsIn('`src/runtime/NAME/runtime.ts`, `src/discovery/*`, [site](https://example.com/src/none.ts)')).toEqual(
    [],
  );
});

test('a place that moved, and a link to a file that went', () => {
  expect(signsIn('`src/edge/deadlines.ts` twice `src/edge/deadlines.ts`; [page](docs/gone.md)')).toEqual([
    'README.md: leads to src/edge/deadlines.ts, which is not there',
    'README.md: leads to docs/gone.md, which is not there',
  ]);
});

test('a link leads to a heading that is there', () => {
  const page = '# A page\n\n## What `wake` does: all of it\n\n## Twice\n\n## Twice\n\n```sh\n# No heading\n```\n';
  const links =
    '[a](#what-wake-does-all-of-it) [b](#twice-1) [c](#no-heading) [d](docs/b.md#here) [e](https://a.example/#x)';
  const other = { path: 'docs/b.md', text: '### [Here](a.md)\n[up](../README.md#twice-2)\n' };
  expect(findDeadAnchors([{ path: 'README.md', text: page + links }, other])).toEqual([
    'README.md: leads to #no-heading, a part that is not there',
    'docs/b.md: leads to ../README.md#twice-2, a part that is not there',
  ]);
});

test('a command that documents quote is one of package.json', () => {
  const text =
    'Run `npm run -s bench -- --only x`, then npm run load:gone and `npm run …`; npm run load:gone once more.';
  expect(findDeadScripts([{ path: 'README.md', text }], ['bench', 'load'])).toEqual([
    'README.md: npm run load:gone, which is no script of package.json',
  ]);
});

test.each([
  ['design', '§5'],
  ['the contract', 'says so'],
  ['guarantee', '4'],
  ['scenario', 'W15'],
])('a document that the reader does not have: %s %s', (what, where) => {
  const said = `${what} ${where}`;
  const [found, ...more] = findUnknownReferences([{ path: 'src/a.ts', text: `// one\n// as ${said}\n` }]);
  expect(found).toMatch(/^src\/a\.ts:2: refers to what a reader does not have: /);
  expect(more).toEqual([]);
});

test('standards that everybody can read', () => {
  const text = '// RFC 9112 §7.1 asks for it; the scenario ends; a design of rooms\n';
  expect(findUnknownReferences([{ path: 'src/a.ts', text }])).toEqual([]);
});
