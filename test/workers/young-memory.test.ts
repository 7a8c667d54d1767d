import { expect, test } from 'vitest';
import { youngMemoryBounded } from '../../src/workers/young-memory.ts';

test.each([
  ['nobody has said anything', ['--trace-gc'], undefined, ['--trace-gc', '--max-semi-space-size=4']],
  ['the command line says something', ['--max-semi-space-size=16'], undefined, ['--max-semi-space-size=16']],
  ['the environment says something', [], '--min_semi_space_size=2', []],
])('where %s of young memory, that is what stands', (_, flags, nodeOptions, bounded) => {
  expect(youngMemoryBounded(flags, nodeOptions)).toEqual(bounded);
});
