import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { CHROMIUM_ARGUMENTS } from '../support/chromium.ts';
import { RunningProxy } from '../support/proxy.ts';
import { until } from '../support/until.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

const LINES = Array.from({ length: 20_000 }, (_, i) => `line ${i}: ${(i * 7919) % 10_007}`).join('\n');
const PAGE = '<!doctype html><title>Things</title><link rel="stylesheet" href="/style.css"><p>Things</p>';
const STYLE = `p { color: rgb(1, 2, 3) }\n${'/* a comment of some length */\n'.repeat(100)}`;

let workspace: Workspace;
let server: Server;
let proxy: RunningProxy;
let browser: Browser;

beforeAll(async () => {
  server = createServer((request, response) => {
    const send = (type: string, text: string) => {
      const tag = `"${text.length}"`;
      const isKnown = request.headers['if-none-match']?.replace('W/', '') === tag;
      response.writeHead(isKnown ? 304 : 200, { etag: tag, 'cache-control': 'no-cache', 'content-type': type });
      response.end(isKnown ? undefined : text);
    };
    if (request.url === '/style.css') send('text/css', STYLE);
    else if (request.url === '/lines') send('text/plain', LINES);
    else if (request.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      // It stays open: what the page sees of it came through without an end.
      response.write('data: one\n\ndata: two\n\n');
    } else send('text/html', PAGE);
  }).listen(0, '127.0.0.1');
  workspace = await makeWorkspace('');
  const compress = { types: ['text/*', 'text/event-stream'], minBytes: '1B' };
  const endpoints = { static: [`127.0.0.1:${(server.address() as AddressInfo).port}`] };
  const config = { services: { app: { routes: [{ path: '/' }], endpoints, compress } } };
  proxy = await (await RunningProxy.launch({ workspace, config })).ready();
  browser = await chromium.launch({ executablePath: inject('chromium'), headless: true, args: CHROMIUM_ARGUMENTS });
});

afterAll(async () => {
  await browser?.close();
  await proxy?.stop();
  server?.closeAllConnections();
  server?.close();
  if (workspace !== undefined) await rm(workspace.folder, { recursive: true, force: true });
});

test('a browser shows compressed pages, keeps them, and follows a compressed event stream', async () => {
  const page = await browser.newPage();
  const url = `http://localhost:${proxy.port}`;
  await page.goto(`${url}/`);
  const color = await page.evaluate("getComputedStyle(document.querySelector('p')).color");
  expect(color).toBe('rgb(1, 2, 3)');
  const fetched = await page.evaluate(async () => {
    const first = await (await fetch('/lines')).text();
    const again = await (await fetch('/lines')).text();
    return { length: first.length, end: first.slice(-20), isSame: first === again };
  });
  expect(fetched).toEqual({ length: LINES.length, end: LINES.slice(-20), isSame: true });
  const events = await page.evaluate(
    () =>
      new Promise<string[]>((resolve) => {
        const seen: string[] = [];
        const source = new EventSource('/events');
        source.onmessage = ({ data }) => {
          seen.push(data);
          if (seen.length < 2) return;
          source.close();
          resolve(seen);
        };
      }),
  );
  expect(events).toEqual(['one', 'two']);
  // The style, the lines, and the events, which end when the browser leaves.
  await until('three answers that were compressed', async () => {
    return (await proxy.metric('pilotlight_compressed_answers_total')) >= 3;
  });
  await page.close();
});
