import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { formatProblem } from '../../src/config/check/problem.ts';
import { parseBytes } from '../../src/config/load/load.ts';
import { container, declaringFile, merged } from '../config/declare/declarations.ts';
import { type Block, blocksIn, ROOT } from './pages.ts';

const LISTEN = 'listen: [{ address: "127.0.0.1:8080" }]\n';
const ELSEWHERE = 'endpoints: { static: ["10.0.0.1:80"] }';
const SERVICE = `services: { app: { routes: [{ host: app.example.com }], ${ELSEWHERE} } }\n`;

const indented = (text: string, by: number) => text.replace(/^(?=.)/gm, ' '.repeat(by));
/** A whole file with what stands above it where the text has no such key itself. */
const filled = (text: string, parts: Record<string, string>) =>
  Object.entries(parts)
    .filter(([key]) => !new RegExp(`^${key}:`, 'm').test(text))
    .map(([, part]) => part)
    .join('') + text;

/** What each form of block is a part of. `yaml` alone is a whole file. */
const FORMS: Record<string, (text: string) => string> = {
  yaml: (text) => text,
  /** Some of a file's own keys: a listener and a service are added where the block has none. */
  'yaml part': (text) => filled(text, { listen: LISTEN, services: SERVICE }),
  /** Keys of one listener. */
  'yaml listener': (text) => `listen:\n  - address: 127.0.0.1:8443\n${indented(text, 4)}${SERVICE}`,
  /** Keys of one service: a route and a container are added where the block has none. */
  'yaml service': (text) => {
    const where = /^(?:run|endpoints):/m.test(text) ? '' : 'run: { docker: { image: app, port: 3000 } }\n';
    const route = /^routes:/m.test(text) ? '' : 'routes: [{ host: app.example.com }]\n';
    return `${LISTEN}services:\n  app:\n${indented(`${where}${route}${text}`, 4)}`;
  },
};

/** The variables that a text names, all of them set. */
const variablesOf = (text: string) =>
  Object.fromEntries([...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => [name, 'a-value-of-24-characters']));

async function problemsOf({ info, text, place }: Block): Promise<string[]> {
  const form = FORMS[info];
  if (form === undefined) return [`${place}: yaml is one of ${Object.keys(FORMS).join(', ')}, yaml compose`];
  const result = await parseBytes(Buffer.from(form(text)), join(ROOT, 'config/examples/page.yaml'), variablesOf(text));
  const found = result.ok ? result.warnings : result.problems;
  return found.map((problem) => `${place}: ${formatProblem({ ...problem, file: info })}`);
}

const ours = blocksIn('yaml').filter(({ info }) => info !== 'yaml compose');

test('every configuration in the pages is one that check accepts, without a warning', async () => {
  expect(ours.length).toBeGreaterThan(15);
  expect((await Promise.all(ours.map(problemsOf))).flat()).toEqual([]);
});

test('a wrong option in a page is noticed by the place of its block', async () => {
  const wrong = { place: 'docs/a.md:3', info: 'yaml service', text: 'scale: { idel: 10m }\n' };
  expect(await problemsOf(wrong)).toEqual([
    expect.stringMatching(/^docs\/a\.md:3: .*scale\.idel: unknown key \(did you mean "idle"\?\)/),
  ]);
});

interface Compose {
  services: Record<string, { image: string; labels?: Record<string, string> }>;
}

describe('labels of containers in compose files', () => {
  test.each(blocksIn('yaml').filter(({ info }) => info === 'yaml compose'))('$place', ({ text }) => {
    const { services } = parseYaml(text) as Compose;
    const declared = Object.entries(services)
      .filter(([, { labels = {} }]) => Object.keys(labels).some((label) => label.startsWith('pilotlight.')))
      .map(([name, { labels = {} }]) => container(name, labels));
    const file = declaringFile();
    for (const { problems } of merged(file, declared).standing) expect(problems).toEqual([]);
  });
});
