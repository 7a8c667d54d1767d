import { join } from 'node:path';
import { expect, test } from 'vitest';
import { demoService, place, serve } from '../../main/program.ts';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/until.ts';
import { blockBeginning, linesOf } from '../pages.ts';
import { PageShell } from './page-shell.ts';

/** A proxy with the service `shop`, which runs, and `fixed`, which is an address. */
async function shop() {
  const fixed = `127.0.0.1:${await freePort()}`;
  const at = await place({
    services: {
      shop: demoService('hello', { routes: [{ path: '/' }], scale: { max: 3, idle: '10m' } }),
      fixed: { routes: [{ path: '/fixed' }], endpoints: { static: [fixed] } },
    },
  });
  const shell = await PageShell.open({ PILOTLIGHT_ADMIN: at.admin });
  await serve(at);
  expect((await fetch(at.url)).status).toBe(200);
  return { at, fixed, shell };
}

/** What the words in capitals stand for. Of an address alone it is known whose it is. */
function filled(line: string, own: Record<string, string>): string {
  const service = line.includes('ADDRESS') ? 'fixed' : 'shop';
  const [command = ''] = line.split('#');
  const words: Record<string, string> = { SERVICE: service, LEVEL: 'info', N: '2', ...own };
  return command.replace(/\[([A-Z]+)\]/g, '$1').replace(/\b[A-Z]{1,}\b/g, (word) => words[word] ?? word);
}

/** What each says, and where the page leaves open what has to be given. */
const SAYS: Record<string, RegExp> = {
  check: /is valid: 2 services, 2 routes, 1 listener/,
  run: /$/,
  init: /pilotlight\.yaml/,
  status: /shop +ready +1/,
  logs: /listens on port/,
  events: /ready|frozen|scal|asleep|retir|wak/,
  'log-level': /info/,
  routes: /\/fixed/,
  endpoints: /in.use/,
  drain: /drain/,
  weight: /2/,
  why: /wake 0→1: 1 request waits/,
  replay: /\d+ records?, \d+ decided again/,
  wake: /ready/,
  sleep: /./,
  scale: /2/,
  freeze: /frozen/,
  unfreeze: /./,
};

test('each command of operations.md does what stands beside it', async () => {
  const { at, fixed, shell } = await shop();
  const block = blockBeginning('docs/operations.md', 'pilotlight check');
  const names = linesOf(block).map((line) => line.split(' ')[1] as string);
  expect(names).toEqual(Object.keys(SAYS));
  const journal = join(at.folder, 'state/journal/decisions.jsonl');
  for (const [index, line] of linesOf(block).entries()) {
    const name = names[index] as string;
    // It serves already.
    if (name === 'run') continue;
    const own = { FILE: name === 'replay' ? journal : at.file, ADDRESS: fixed };
    const answers = name === 'init' ? ' --listen 127.0.0.1:1080 --host a.test --serve "node server.js"' : '';
    const command = filled(line, own) + answers;
    if (name === 'events') {
      // It waits for what happens.
      const told = shell.beginningOf(command);
      const asked = setInterval(() => void shell.run('pilotlight freeze shop').catch(() => {}), 2_000);
      expect(await told.finally(() => clearInterval(asked)), command).toMatch(SAYS[name] as RegExp);
      await shell.run('pilotlight unfreeze shop');
      continue;
    }
    const said = await (name === 'status' ? shell.beginningOf(command) : shell.run(command));
    expect(said, command).toMatch(SAYS[name] as RegExp);
  }
});

test('the four commands of troubleshooting.md, costs.md and the decisions that pages show answer', async () => {
  const { at, shell } = await shop();
  const four = linesOf(blockBeginning('docs/troubleshooting.md', 'pilotlight status'));
  const [status, route, endpoints, why] = await Promise.all(four.map((line) => shell.run(filled(line, {}))));
  expect(status).toMatch(/^shop +ready +1/m);
  expect(route).toContain('shop');
  expect(endpoints).toMatch(/in.use/);
  expect(why).toContain('1 request waits');
  const [costs = ''] = linesOf(blockBeginning('docs/costs.md', 'pilotlight costs'));
  expect(await shell.run(costs)).toContain('shop');

  for (const page of ['docs/decisions.md', 'docs/failures.md', 'docs/scaling.md']) {
    const block = blockBeginning(page, 'pilotlight why');
    const [line = ''] = linesOf(block);
    // A date, then decisions by their time: as the page shows it.
    const form = /^\d{4}-\d\d-\d\d\n\d\d:\d\d:\d\d {2}wake 0→1: .*\n {10}with ready 0, wanted 1\b/;
    expect(block.text.slice(block.text.indexOf('\n') + 1)).toMatch(form);
    expect(await shell.run(line)).toMatch(form);
  }
  const [replay = ''] = linesOf(blockBeginning('docs/decisions.md', 'pilotlight replay'));
  await until('a record is written', async () =>
    (await shell.run(`ls ${at.folder}/state/journal`)).includes('decisions.jsonl'),
  );
  await shell.run(`cp ${at.folder}/state/journal/decisions.jsonl .`);
  expect(await shell.run(replay)).toMatch(/^\d+ records?, \d+ decided again/m);
});
