import { readFile, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { formatProblem } from '../config/check/problem.ts';
import { loadConfig } from '../config/load/load.ts';
import { PilotlightError } from '../model/errors.ts';
import { fileFault } from '../util/file-errors.ts';
import { type FirstService, firstConfig, readServe } from './init-text.ts';
import { inputLines } from './input-lines.ts';
import type { Terminal } from './terminal.ts';

interface InitOptions {
  config?: string;
  listen?: string;
  host?: string;
  serve?: string;
  json?: true;
}

const DEFAULT_FILE = 'pilotlight.yaml';
const DEFAULT_LISTEN = '127.0.0.1:8080';

/**
 * `init`: asks what no option says, and writes a configuration that `check` accepts. An existing file stays. With `json`
 * it asks on standard error, and its one answer is an object.
 * @throws USAGE, CONFIG_INVALID
 */
export async function initConfig(given: InitOptions, terminal: Terminal): Promise<number> {
  const { out, err, env, cwd } = terminal;
  const isJson = given.json === true;
  const name = given.config ?? DEFAULT_FILE;
  const file = resolve(cwd, name);
  if (await exists(file))
    throw new PilotlightError('CONFIG_INVALID', `${name} is there already: name another file with -c`);
  const answers = inputLines(terminal.input);
  const ask = async (value: string | undefined, question: string): Promise<string> => {
    if (value !== undefined) return value.trim();
    (isJson ? err : out)(question);
    const { value: line } = await answers.next();
    return (line ?? '').trim();
  };
  const listen = (await ask(given.listen, `Where are requests taken? [${DEFAULT_LISTEN}]`)) || DEFAULT_LISTEN;
  const host = await ask(given.host, 'Which host leads to the service, as shop.example.com? [any]');
  const how = await ask(given.serve, 'What runs it? A command that listens on $PORT, docker IMAGE PORT, or HOST:PORT.');
  const service: FirstService = { listen, host: host.toLowerCase(), run: readServe(how) };
  try {
    await writeFile(file, firstConfig(service), { flag: 'wx' });
  } catch (error) {
    throw new PilotlightError('CONFIG_INVALID', `${name} cannot be written (${fileFault(error)})`, error);
  }
  const result = await loadConfig(file, env);
  if (!result.ok) {
    await rm(file);
    const problems = result.problems.map((problem) => ({ ...problem, file: name }));
    if (isJson) out(JSON.stringify({ ok: false, file: name, problems }, null, 2));
    else for (const line of [...problems.map(formatProblem), 'nothing is written']) err(line);
    return 1;
  }
  await answers.return();
  if (isJson) out(JSON.stringify({ ok: true, file: name }, null, 2));
  else out(`${name} is written and valid. Next: pilotlight run -c ${name}`);
  return 0;
}

async function exists(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
}
