import { expect, test } from 'vitest';
import { errorsPage } from '../../../src/config/generate/errors-page.ts';
import { errorKinds } from '../../../src/model/errors.ts';
import { refusals } from '../../../src/model/refusals.ts';

test('every code has a heading of its own, once, to which its row leads', () => {
  const page = errorsPage();
  for (const code of [...Object.keys(refusals), ...Object.keys(errorKinds)]) {
    expect(page.split(`\n### ${code}\n`), code).toHaveLength(2);
    expect(page).toContain(`| [\`${code}\`](#${code.toLowerCase()}) |`);
  }
});
