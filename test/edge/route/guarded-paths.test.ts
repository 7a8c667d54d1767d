import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { guardedSpellings } from '../../support/path-spellings.ts';
import { at, EdgeHarness, policy, state } from '../edge-harness.ts';
import { basic, cheapHash, rules } from './rules.ts';

const SECRET = 'the secret';

/** A server of the files of a folder, as they are written by hand; `pathOf` finds the file's path in a target. */
async function fileServer(pathOf: (target: string) => string): Promise<{ port: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'pilotlight-files-'));
  for (const [path, text] of Object.entries({ 'secret/k': SECRET, 'x/k': 'public', 'secret/open/k': 'open' })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const server = createServer((request, response) => {
    try {
      response.end(readFileSync(join(folder, posix.normalize(`/${pathOf(request.url ?? '/')}`))));
    } catch {
      response.writeHead(404).end('nothing');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return server.address() as AddressInfo;
}

const servers: Record<string, (target: string) => string> = {
  'cuts the query and decodes': (target) => decodeURIComponent(target.split('?')[0] as string),
  'resolves a URL and decodes': (target) => decodeURIComponent(new URL(target, 'http://h').pathname),
  'normalises and decodes': (target) => decodeURIComponent(posix.normalize(target.split('?')[0] as string)),
};

describe.each(Object.entries(servers))('a file server that %s', (_name, pathOf) => {
  async function guarded(): Promise<EdgeHarness> {
    const origin = await fileServer(pathOf);
    const basicAuth = { realm: 'r', users: [{ name: 'alice', hash: cheapHash('pass') }], forward: false };
    return EdgeHarness.start(policy(), {
      routes: [
        { host: undefined, path: '/', service: 'app' },
        { host: undefined, path: '/secret', service: 'app', rules: rules({ basicAuth }) },
        { host: undefined, path: '/x/secret', service: 'app', rules: rules({ allow: ['192.0.2.1'] }) },
        { host: undefined, path: '/secret/open', service: 'app' },
      ],
      states: [state({ endpoints: [at(origin)] })],
    });
  }

  test('gives what is guarded to nobody who has no password', async () => {
    const harness = await guarded();
    for (const target of guardedSpellings) {
      const client = await harness.connect();
      client.get(target);
      const answer = await client.answer();
      expect(answer.text, target).not.toBe(SECRET);
      expect([400, 401], target).toContain(answer.status);
      client.socket.destroy();
    }
  });

  test('gives it to those who have one, and the rest to everybody', async () => {
    const harness = await guarded();
    const client = await harness.connect();
    for (const target of ['/secret/k', '/%73ecret/k', '/secret//k', '/secret/x/%2e%2e/k', '/secret/./k']) {
      client.write(`GET ${target} HTTP/1.1\r\nHost: app.test\r\n${basic('alice', 'pass')}\r\n`);
      expect((await client.answer()).text, target).toBe(SECRET);
    }
    for (const [target, text] of [
      ['/x/k', 'public'],
      ['/x//k', 'public'],
      ['/y/..%2fx/k', 'public'],
      ['/secret/open/k', 'open'],
      ['/secret/open/%6b', 'open'],
    ] as const) {
      client.get(target);
      expect((await client.answer()).text, target).toBe(text);
    }
  });
});
