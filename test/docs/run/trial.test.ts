import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pilotlight } from '../../main/program.ts';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/until.ts';
import { blockBeginning, linesOf, ROOT } from '../pages.ts';
import { PageShell } from './page-shell.ts';

test('the demo answers as the README shows', async () => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const env = { PILOTLIGHT_DEMO_PORT: String(port), PILOTLIGHT_DEMO_ADMIN_PORT: String(adminPort) };
  const program = pilotlight(['demo'], { env });
  await until('it serves', async () => {
    if (program.child.exitCode !== null) throw new Error(program.stderr);
    return (await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined))?.status === 200;
  });
  const shell = await PageShell.open();
  const block = blockBeginning('README.md', 'curl');
  const [curl = ''] = linesOf(block);
  const said = await shell.run(curl.replace('curl', 'curl -sS').replace(':8080', `:${port}`));
  const form = (text: string) => text.replaceAll('\r', '').replace(/\d+(?:\.\d+)?/g, 'N');
  const shown = block.text.split('\n').slice(1).filter(Boolean);
  expect(shown).toHaveLength(4);
  expect(form(said).split('\n')).toEqual(expect.arrayContaining(shown.map(form)));
});

test('the simulations of simulate.md and comparison.md tell of each policy', async () => {
  const shell = await PageShell.open();
  await shell.run(`ln -s '${join(ROOT, 'config')}' config`);
  const [long = ''] = linesOf(blockBeginning('docs/simulate.md', 'npm run -s pilotlight -- simulate'));
  const [short = ''] = linesOf(blockBeginning('docs/comparison.md', 'pilotlight simulate'));
  expect(await shell.run(long)).toMatch(/^pilotlight .*\n(?:.*\n)*?kpa .*\nhpa .*\nfixed:2 /m);
  expect((await stat(join(shell.folder, 'report.html'))).size).toBeGreaterThan(1_000);
  expect(await shell.run(short)).toMatch(/^pilotlight .*\n(?:.*\n)*?kpa .*\nhpa /m);
});

test('what the packages of traces cost is printed by the command of tracing.md', async () => {
  const shell = await PageShell.open();
  const { text } = blockBeginning('docs/tracing.md', 'node -e');
  const lines = text.trimEnd().split('\n');
  const command = lines.slice(0, -1).join('\n').replace('$ ', '');
  const form = /^\d+ ms \d+ MB$/;
  expect(lines.at(-1)).toMatch(form);
  expect((await shell.run(`cd '${ROOT}'; ${command}`)).trim()).toMatch(form);
});
