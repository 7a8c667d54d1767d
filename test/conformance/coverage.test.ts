import { describe, expect, it } from 'vitest';
import { type ChecklistLine, checklist, defects } from './checklist.ts';
import { isCurrent } from './document.ts';
import { testsByRisk, testsOf } from './listing.ts';

const lines: ChecklistLine[] = [...Object.values(checklist).flat(), ...defects];

describe('the checklist', () => {
  it('has every number from 1 to 53, and no line twice', () => {
    const ids = lines.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(Array.from({ length: 53 }, (_, index) => index + 1)));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(lines)('line $id has a test, or a reason to have none', ({ id, none }) => {
    const count = testsOf(id).length;
    if (none === undefined) expect(count).toBeGreaterThan(0);
    else expect(count).toBe(0);
  });

  it('knows every line that a test names', () => {
    const known = new Set(lines.map(({ id }) => id));
    const named = testsByRisk().flatMap(([, tests]) => tests.flatMap((each) => each.lines));
    expect([...new Set(named)].filter((id) => !known.has(id))).toEqual([]);
  });

  it.each(testsByRisk())('names every test of %s once', (_risk, tests) => {
    const names = tests.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('is what docs/conformance.md shows (npm run conformance -- --write makes it anew)', async () => {
    expect(await isCurrent()).toBe(true);
  });
});
