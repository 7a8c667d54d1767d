import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asCommand } from './search/case.ts';
import { finds } from './search/finds.ts';
import { worlds } from './search/worlds.ts';

/** `npm run -s simulate:search` looks further, and tells what was decided. */
test.each(worlds.map((world) => [world.name, world] as const))(
  'no service and load is found under which scaling does what it must not: %s',
  async (_, { cases, faultsOf, runs }) => {
    const property = fc.asyncProperty(cases, async (of) => {
      expect({ case: asCommand(of), faults: await faultsOf(of) }).toEqual({ case: asCommand(of), faults: [] });
    });
    await fc.assert(property, { numRuns: runs, seed: 1, endOnFailure: true });
  },
  600_000,
);

test.each(finds)(
  'what was found stays mended: $name',
  async ({ world, of }) => {
    const { faultsOf } = worlds.find(({ name }) => name === world) ?? expect.fail(`there is no world "${world}"`);
    expect(await faultsOf(of)).toEqual([]);
  },
  300_000,
);
