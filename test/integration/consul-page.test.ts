import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { blocks } from '../docs/pages.ts';
import { ConsulAgent } from '../support/consul-agent.ts';
import { freePort } from '../support/free-port.ts';
import { MAIN } from '../support/program-file.ts';
import { until } from '../support/until.ts';

const page = blocks.filter(({ place }) => place.startsWith('docs/consul.md:'));
const commands = page.filter(({ info }) => info === 'sh').map(({ text }) => text);
const files = page.filter(({ info }) => info === 'yaml').map(({ text }) => text);

/** The commands of the page, with an agent and ports of the test's own. */
async function shell() {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-page-'));
  const agent = await ConsulAgent.start(inject('consulBinary'));
  const [proxy, app, admin] = [await freePort(), await freePort(), await freePort()];
  const started: ChildProcess[] = [];
  /** Ends what runs, and what that started. */
  const end = async () => {
    const ends = started.splice(0).map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    });
    await Promise.all(ends);
  };
  onTestFinished(async () => {
    await end();
    await agent.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const here = (text: string) =>
    text
      .replaceAll('127.0.0.1:8500', agent.address.slice('http://'.length))
      .replaceAll('127.0.0.1:8080', `127.0.0.1:${proxy}`)
      .replaceAll('3000', String(app))
      .replace(/^pilotlight /gm, `${process.execPath} ${MAIN} `);
  const options = { cwd: folder, env: { ...process.env, CONSUL_HTTP_ADDR: agent.address, HOME: folder } };
  return {
    end,
    async save(file: string) {
      const ours = `admin: { address: "127.0.0.1:${admin}" }\nstate: ${join(folder, 'state')}\n`;
      await writeFile(join(folder, 'pilotlight.yaml'), ours + here(file));
    },
    /** Starts what a block has run beside, the agent left out, and runs the rest; what the rest prints. `end` ends jobs. */
    async run(block: string): Promise<string> {
      let printed = '';
      for (const line of here(block).trim().split('\n')) {
        if (line.startsWith('consul agent') || line.startsWith('kill %')) continue;
        if (line.endsWith(' &')) {
          const command = line.slice(0, -2);
          started.push(spawn('bash', ['-c', `exec ${command}`], { ...options, stdio: 'ignore' }));
        } else printed += await output(line, options);
      }
      return printed;
    },
  };
}

function output(line: string, options: object): Promise<string> {
  return new Promise((resolve) => execFile('bash', ['-c', line], options, (_, stdout) => resolve(stdout)));
}

test('the page leads from nothing to a routed service, and to one that is woken', async () => {
  const { save, run, end } = await shell();
  const [register = '', serve = '', endpoints = '', maintenance = '', wake = ''] = commands;
  const [routed = '', woken = ''] = files;
  await run(register);
  await save(routed);
  await run(serve);
  const [ask = ''] = serve.split('\n').slice(1);
  await until('an answer', async () => (await run(ask)) === 'hello from Consul\n');
  expect(await run(endpoints)).toMatch(/127\.0\.0\.1:\d+ +consul +in use/);
  await run(maintenance);
  await until('the maintenance', async () => (await run(endpoints)).includes('out of use: maintenance'));

  await end();
  await save(woken);
  const [endBefore, start = '', wakeUp = '', lookUp = ''] = wake.split('\n');
  expect(endBefore).toBe('kill %3 && wait %3');
  await run(start);
  await until('the service that was woken', async () => (await run(wakeUp)) === 'awake\n');
  await until('the proxy in Consul', async () => /"ServiceName":\s*"greeter"/.test(await run(lookUp)));
});
