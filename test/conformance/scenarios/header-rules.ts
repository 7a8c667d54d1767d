import assert from 'node:assert/strict';
import type { RouteRules } from '../../../src/model/route-rules.ts';
import { ANSWER_MS } from '../harness/lane.ts';
import { valuesOf } from '../harness/message.ts';
import { type Scenario, scenario } from '../harness/scenario.ts';
import { play, type Stage, type StageSettings } from '../harness/stage.ts';

type Edit = Partial<RouteRules['headers']['request']>;

function ruled(change: { strip?: boolean; request?: Edit; response?: Edit }, path = '/'): StageSettings {
  const rules: RouteRules = {
    strip: change.strip ?? false,
    redirect: undefined,
    allow: [],
    basicAuth: undefined,
    rate: undefined,
    headers: {
      request: { set: [], remove: [], ...change.request },
      response: { set: [], remove: [], ...change.response },
    },
  };
  return {
    routes: [
      { host: undefined, path, service: 'main', rules },
      { host: 'clean', path: '/', service: 'main' },
    ],
  };
}

async function exchange(stage: Stage, text: string): Promise<{ status: number | undefined; head: string | undefined }> {
  const client = await stage.sent(text);
  const answer = await client.answer(text.slice(0, text.indexOf(' ')), ANSWER_MS);
  return { status: answer?.status, head: answer?.message.fields.map((each) => each.join(': ')).join('\r\n') };
}

export const headerRules: Scenario[] = [
  scenario('a long body under a rule that sets fields', ['GHSA-6x33-pw7p-hmpq'], () =>
    play(ruled({ request: { set: [{ name: 'X-Rule', value: 'set' }] } }), async (stage) => {
      const body = 'x'.repeat(200_000);
      const { status } = await exchange(
        stage,
        `POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      assert.equal(status, 200);
      const message = stage.origin.take().received[0]?.message;
      assert.equal(message?.body.length, body.length);
      assert.deepEqual(valuesOf(message?.fields ?? [], 'x-rule'), ['set']);
    }),
  ),
  scenario('escaped CR and LF of a request stay escaped in what a rule makes of it', ['CVE-2022-31150'], () =>
    play(ruled({ request: { set: [{ name: 'X-Path', value: '{path}{query}' }] } }), async (stage) => {
      const { status } = await exchange(stage, 'GET /c%0d%0aX-Evil:1?%0D%0a HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.equal(status, 200);
      const message = stage.origin.take().received[0]?.message;
      assert.deepEqual(valuesOf(message?.fields ?? [], 'x-path'), ['/c%0d%0aX-Evil:1?%0D%0a']);
      assert.deepEqual(valuesOf(message?.fields ?? [], 'x-evil'), []);
    }),
  ),
  ...['\r', '\n', '\r\n', '\0'].map((bytes) =>
    scenario(`${JSON.stringify(bytes)} in a target reaches no rule`, [21, 'CVE-2022-31150'], () =>
      play(ruled({ response: { set: [{ name: 'X-Path', value: '{path}' }] } }), async (stage) => {
        const { status, head } = await exchange(stage, `GET /c${bytes}X-Evil:1 HTTP/1.1\r\nHost: a\r\n\r\n`);
        assert.equal(status, 400);
        assert.doesNotMatch(head ?? '', /evil/i);
        assert.deepEqual(stage.origin.take().received, []);
      }),
    ),
  ),
  scenario('a rule that names fields in odd case takes them all, and adds none twice', ['CVE-2026-1525'], () =>
    play(ruled({ request: { set: [{ name: 'X-CoUnT', value: '3' }], remove: ['x-GONE'] } }), async (stage) => {
      await exchange(stage, 'GET /c HTTP/1.1\r\nHost: a\r\nx-count: 1\r\nX-COUNT: 2\r\nX-Gone: 1\r\n\r\n');
      const message = stage.origin.take().received[0]?.message;
      assert.deepEqual(valuesOf(message?.fields ?? [], 'x-count'), ['3']);
      assert.deepEqual(valuesOf(message?.fields ?? [], 'x-gone'), []);
      assert.deepEqual(message?.faults, []);
    }),
  ),
  scenario('a rule’s field is there though Connection names it', [38, 'CVE-2024-45410'], () =>
    play(ruled({ request: { set: [{ name: 'X-Rule', value: 'set' }] } }), async (stage) => {
      await exchange(stage, 'GET /c HTTP/1.1\r\nHost: a\r\nConnection: X-Rule\r\nX-Rule: mine\r\n\r\n');
      assert.deepEqual(valuesOf(stage.origin.take().received[0]?.message.fields ?? [], 'x-rule'), ['set']);
    }),
  ),
  ...[
    ['/pub/x', '/x'],
    ['/pub', '/'],
    ['/pub?q', '/?q'],
    ['/pub/x//y', '/x//y'],
    ['/pub/x%2fy', '/x%2fy'],
    ['/p%75b/x', '/x'],
  ].map(([target, cut]) =>
    scenario(`${target} without its prefix is ${cut}`, [36], () =>
      play(ruled({ strip: true }, '/pub'), async (stage) => {
        assert.equal((await exchange(stage, `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)).status, 200);
        assert.equal(stage.origin.take().received[0]?.target, cut);
      }),
    ),
  ),
  ...[
    '/pub/../admin',
    '/pub/%2e%2e/admin',
    '/pub/..',
    '/pub/.%2e',
    '/pub/x/..%2fadmin',
    '/pub%2f..%2fadmin',
    '/pub/..;/admin',
    '/pub/..\\admin',
    '/pub/%252e%252e/admin',
    '/pub//evil.test',
    '/pub/%2fevil.test',
    '/pub/\\evil.test',
  ].map((target) =>
    scenario(
      `${target} leads nowhere once its prefix is cut off`,
      [36, 'GHSA-2q7r-29rg-6m5h', 'GHSA-6jwx-7vp4-9847'],
      () =>
        play(ruled({ strip: true }, '/pub'), async (stage) => {
          const { status } = await exchange(stage, `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
          assert.ok(status === 400 || status === 404, `answered ${status}`);
          assert.deepEqual(stage.origin.take().received, []);
        }),
    ),
  ),
];
