import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readArguments } from '../../src/cli/args.ts';
import { isCommandName } from '../../src/cli/commands.ts';
import { blocks, blocksIn, codeIn, linesOf, pages, ROOT } from './pages.ts';

/** What pages show, by how it is marked: what is run (sh, console) and what is not. */
const LANGUAGES = ['sh', 'console', 'yaml', 'js', 'ts', 'json', 'text', 'mermaid', 'ini', 'dockerfile', 'promql'];

/** Programs of others that pages call. */
const OTHERS = [
  ...['cat', 'cd', 'chmod', 'cp', 'curl', 'echo', 'export', 'kill', 'mkdir', 'mv', 'printf', 'rm', 'sed', 'sleep'],
  ...[
    'consul',
    'consul-template',
    'docker',
    'git',
    'jq',
    'redis-cli',
    'systemctl',
    'ulimit',
    'useradd',
    'sudo',
    'wait',
  ],
  ...['node', 'openssl', 'tar', 'tee', 'sort', 'diff', 'grep', 'head', 'tail', 'wget', 'install', 'getcap', 'setcap'],
  ...['sysctl', 'apt', 'apt-get', 'dpkg', 'promtool', 'kubectl', 'helm', 'journalctl', 'nft', 'ask'],
];
/** What npm does without a script of ours. */
const NPM = ['ci', 'install', 'pack', 'start', 'test'];
const NPX: Record<string, (args: string[]) => string | undefined> = {
  pilotlight: wrongArguments,
  autocannon: () => undefined,
  biome: () => undefined,
  vitest: (args) => {
    const missing = args.find((arg) => /^test\//.test(arg) && !existsSync(join(ROOT, arg)));
    return missing === undefined ? undefined : `${missing} is not there`;
  },
};

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

/** What is wrong with the arguments of `pilotlight`; undefined: nothing. Brackets and dots are the page's. */
function wrongArguments(args: readonly string[]): string | undefined {
  const plain = args.map((arg) => arg.replace(/^\[(.*)\]$/, '$1')).filter((arg) => !/^(?:…|\.\.\.)$/.test(arg));
  try {
    readArguments(plain);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Flags that the script's own files do not know. */
function wrongScript(name: string, args: string[]): string | undefined {
  const script = scripts[name];
  if (script === undefined) return `npm run ${name} is no script`;
  if (name === 'pilotlight') return wrongArguments(args);
  const entry = /node (\S+\.ts)/.exec(script)?.[1];
  const flags = args.filter((arg) => arg.startsWith('--')).map((arg) => arg.slice(2).split('=')[0] as string);
  if (flags.length === 0) return undefined;
  if (entry === undefined) return `npm run ${name} takes no flags`;
  const known = textsFrom(join(ROOT, entry));
  const unknown = flags.find((flag) => !new RegExp(`--${flag}\\b|['"]?${flag}['"]?: \\{ type:`).test(known));
  return unknown === undefined ? undefined : `npm run ${name} knows no --${unknown}`;
}

/** The text of a file and of those beside and below it that it imports. */
function textsFrom(file: string, seen = new Set<string>()): string {
  if (seen.has(file) || !existsSync(file)) return '';
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  const imported = [...text.matchAll(/from '(\.[^']+)'/g)].map(([, path]) => join(file, '..', path as string));
  const near = imported.filter((path) => !path.startsWith(join(ROOT, 'src')));
  return [text, ...near.map((path) => textsFrom(path, seen))].join('\n');
}

/** The single commands of a line, as words. Quotes hold words together; redirections and variables before it go. */
function commandsOf(line: string): string[][] {
  const words = line.match(/"[^"]*"|'[^']*'|&&|\|\||[|;&()]|#.*|(?:[^\s"'|;&()#]|"[^"]*"|'[^']*'|(?<=\S)#)+/g) ?? [];
  const commands: string[][] = [[]];
  for (const word of words) {
    if (word.startsWith('#')) break;
    if (/^(?:&&|\|\||[|;&()])$/.test(word)) commands.push([]);
    else commands.at(-1)?.push(word.replace(/^(["'])(.*)\1$/, '$2'));
  }
  return commands
    .map((command) =>
      command
        .slice(firstOf(command))
        .filter((word, at, all) => !/^\d?[<>]/.test(word) && !/^\d?[<>]+$/.test(all[at - 1] ?? '')),
    )
    .filter((command) => command.length > 0);
}

/** Where the program stands: behind `NAME=value`. */
function firstOf(command: string[]): number {
  const index = command.findIndex((word) => !/^[A-Z_][A-Z0-9_]*=/.test(word));
  return index === -1 ? command.length : index;
}

/** What is wrong with one command; undefined: nothing. */
function wrongCommand([program = '', ...args]: string[]): string | undefined {
  if (program === 'sudo') return wrongCommand(args);
  if (program === 'pilotlight') return wrongArguments(args);
  if (program === 'npm') {
    const [verb = '', ...rest] = args;
    if (NPM.includes(verb)) return undefined;
    if (verb !== 'run') return `npm ${verb} is none of ${NPM.join(', ')}`;
    const [name = '', ...more] = rest.filter((arg) => arg !== '-s');
    return wrongScript(
      name,
      more.filter((arg) => arg !== '--'),
    );
  }
  if (program === 'npx') {
    const [name = '', ...rest] = args;
    const check = NPX[name];
    return check === undefined ? `npx ${name} is none of ${Object.keys(NPX).join(', ')}` : check(rest);
  }
  if (/^(?:\.{1,2})?\//.test(program) || program.startsWith('.ci/')) return undefined;
  return OTHERS.includes(program) ? undefined : `${program} is no program that pages call`;
}

/** A command of ours. One that is named alone, as `pilotlight why`, has only to be there. */
const isOurs = (code: string) => /^(?:pilotlight [a-z]|npm run |npx )/.test(code) && !/(?:COMMAND|…)/.test(code);
const isNamed = (code: string) => /^(?:npm run )?pilotlight(?: [a-z-]+)?$/.test(code);

function wrongName(place: string, code: string): string[] {
  const name = /^pilotlight ([a-z-]+)$/.exec(code)?.[1];
  return name === undefined || isCommandName(name) ? [] : [`${place}: ${code}: there is no such command`];
}

function wrongLine(place: string, line: string): string[] {
  // A shell function is the page's own.
  if (/^\w+\(\) \{/.test(line)) return [];
  return commandsOf(line).flatMap((command) => {
    const wrong = wrongCommand(command);
    return wrong === undefined ? [] : [`${place}: ${line.trim()}: ${wrong}`];
  });
}

test('every block says what it is', () => {
  const strange = blocks.filter(({ info }) => !LANGUAGES.includes(info.split(' ')[0] as string));
  expect(
    strange.map(({ place, info }) => `${place}: a block is one of ${LANGUAGES.join(', ')}, not "${info}"`),
  ).toEqual([]);
});

test('every command in the blocks is one that there is, with its options', () => {
  const all = blocksIn('sh', 'console');
  expect(all.flatMap(linesOf).length).toBeGreaterThan(40);
  expect(all.flatMap((block) => linesOf(block).flatMap((line) => wrongLine(block.place, line)))).toEqual([]);
});

test('and every command within a sentence', () => {
  const named = pages.flatMap(codeIn).filter(({ code }) => isOurs(code));
  expect(named.length).toBeGreaterThan(60);
  expect(named.flatMap(({ place, code }) => (isNamed(code) ? wrongName : wrongLine)(place, code))).toEqual([]);
});

test.each([
  ['pilotlight stauts', /unknown command "stauts" \(did you mean "status"\?\)/],
  ['pilotlight wake', /needs a SERVICE/],
  ['PILOTLIGHT_ADMIN=http://a:1 pilotlight status --wacht | head', /wacht/],
  ['npm run bench -- --onyl tls-get', /knows no --onyl/],
  ['npm run -s pilotlight -- scale shop', /needs a N/],
  ['mkdir a && curll http://a', /curll is no program/],
  ['npx vitest run test/gone', /test\/gone is not there/],
])('%s is noticed', (line, told) => {
  expect(wrongLine('docs/a.md:1', line)).toEqual([expect.stringMatching(told)]);
});
