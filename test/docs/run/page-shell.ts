import { spawn } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { folder } from '../../main/program.ts';
import { run } from '../../support/command.ts';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';
import { MAIN } from '../../support/program-file.ts';

/** A shell in which the commands of pages are run as they stand there, in a folder of its own. */
export class PageShell {
  readonly folder: string;
  readonly #env: Record<string, string>;

  private constructor(at: string, env: Record<string, string>) {
    this.folder = at;
    this.#env = env;
  }

  /** @param env added to the environment: what points the commands at the proxy of the test */
  static async open(env: Record<string, string> = {}): Promise<PageShell> {
    const at = await folder();
    const bin = join(at, 'bin');
    await mkdir(bin);
    const programs = {
      node: `exec '${process.execPath}' "$@"`,
      pilotlight: `exec '${process.execPath}' '${MAIN}' "$@"`,
    };
    for (const [name, text] of Object.entries(programs)) {
      await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`);
      await chmod(join(bin, name), 0o755);
    }
    const path = `${bin}:${process.env['PATH']}`;
    return new PageShell(at, { ...COMPILE_CACHE, XDG_CONFIG_HOME: at, ...env, PATH: path });
  }

  /** What a command prints; throws with its errors where it does not end with 0. */
  run(line: string): Promise<string> {
    return run('sh', ['-ec', asInstalled(line)], { cwd: this.folder, env: this.#env });
  }

  /** What a command that goes on until it is told to stop prints first. */
  async beginningOf(line: string): Promise<string> {
    const env = { ...process.env, ...this.#env };
    const child = spawn('sh', ['-ec', `exec ${asInstalled(line)}`], { cwd: this.folder, env });
    try {
      return await new Promise<string>((resolve, reject) => {
        let errors = '';
        child.stdout.once('data', (text) => resolve(String(text)));
        child.stderr.on('data', (text) => {
          errors += text;
        });
        child.once('close', (code) => reject(new Error(`${line} ended (${code}) without a word: ${errors}`)));
      });
    } finally {
      child.kill();
    }
  }
}

/** What is run from a checkout by npm, as an installed program. */
function asInstalled(line: string): string {
  return line.replace('npm run -s pilotlight -- ', 'pilotlight ');
}
