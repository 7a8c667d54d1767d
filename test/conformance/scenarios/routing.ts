import assert from 'node:assert/strict';
import { ANSWER_MS } from '../harness/lane.ts';
import { Origin } from '../harness/origin.ts';
import { type Scenario, scenario } from '../harness/scenario.ts';
import { play, type Stage, type StageSettings } from '../harness/stage.ts';

const get = (target: string, host = 'a'): string => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

/** A proxy with a public service `main`, and another service that only some paths or hosts lead to. */
async function playTwo(
  routes: StageSettings['routes'],
  scene: (stage: Stage, inner: Origin) => Promise<void>,
): Promise<void> {
  const inner = await Origin.open();
  try {
    const served = { host: 'clean', path: '/', service: 'main' };
    const settings: StageSettings = { services: { inner: [inner.port] }, routes: [...(routes ?? []), served] };
    await play(settings, (stage) => scene(stage, inner));
  } finally {
    await inner.close();
  }
}

const paths: StageSettings['routes'] = [
  { host: undefined, path: '/', service: 'main' },
  { host: undefined, path: '/api', service: 'inner' },
];

async function statusOf(stage: Stage, text: string): Promise<number | undefined> {
  const client = await stage.sent(text);
  return (await client.answer('GET', ANSWER_MS))?.status;
}

/** Where a target leads among {@link paths}, and that it arrives byte for byte. */
function leads(target: string, to: 'main' | 'inner'): Scenario {
  return scenario(
    `${target} leads to ${to === 'main' ? '/' : '/api'} and is passed on as it is`,
    [36, 'CVE-2025-66490'],
    () =>
      playTwo(paths, async (stage, inner) => {
        assert.equal(await statusOf(stage, get(target)), 200);
        const [at, other] = to === 'main' ? [stage.origin, inner] : [inner, stage.origin];
        assert.deepEqual(
          at.take().received.map((each) => each.target),
          [target],
        );
        assert.deepEqual(other.take().received, []);
      }),
  );
}

export const routing: Scenario[] = [
  leads('/api', 'inner'),
  leads('/api/', 'inner'),
  leads('/api/x//y', 'inner'),
  leads('/api?x', 'inner'),
  leads('/api;x', 'inner'),
  leads('/api/;x/y', 'inner'),
  leads('/api/x/../y', 'inner'),
  leads('/api/%2e', 'inner'),
  leads('/api/x%2fy%5cz', 'inner'),
  leads('/apis', 'main'),
  leads('/API', 'main'),
  leads('/%61pi', 'inner'),
  leads('/x//y/../z;a=b', 'main'),
  leads('/x/api', 'main'),
  leads('/x%2fapi', 'main'),
  leads('/?/api', 'main'),
  ...[
    ...['/pub/../api', '/pub/%2e%2e/api', '/pub/%2E%2e/api', '/./api', '/api/..', '/api/%2e%2e', '/../api'],
    ...[
      '//api',
      '/api../x',
      '/api%2fx',
      '/x/..%2fapi/x',
      '/%2fapi',
      '/%252fapi',
      '/x/..;/api',
      '/x%5c..%5capi',
      '/api%20/x',
    ],
    ...['/%c0%afapi', '/x/%c0%ae%c0%ae/api', '/api%3bx', '/%2e/api', '/a%2fb/%2e%2e/api', '\\api'.padStart(5, '/')],
  ].map((target) =>
    scenario(
      `${target} is refused, since applications read it as another route's`,
      [36, 'GHSA-2q7r-29rg-6m5h', 'CVE-2026-48020'],
      () =>
        playTwo(paths, async (stage, inner) => {
          assert.equal(await statusOf(stage, get(target)), 400);
          assert.deepEqual([...stage.origin.take().received, ...inner.take().received], []);
        }),
    ),
  ),
  scenario('every request of a connection goes where its own Host leads', [31, 'GHSA-v574-6498-x57v'], () =>
    playTwo(
      [
        { host: 'inner', path: '/', service: 'inner' },
        { host: 'main', path: '/', service: 'main' },
      ],
      async (stage, inner) => {
        const hosts = ['main', 'inner', 'inner', 'main', 'INNER', 'main:80', 'nobody', 'inner.', 'main'];
        const client = await stage.sent(hosts.map((host, index) => get(`/${index}`, host)).join(''));
        for (const host of hosts) {
          assert.equal((await client.answer('GET', ANSWER_MS))?.status, host === 'nobody' ? 404 : 200, host);
        }
        assert.deepEqual(
          stage.origin.take().received.map(({ target }) => target),
          ['/0', '/3', '/5', '/8'],
        );
        assert.deepEqual(
          inner.take().received.map(({ target }) => target),
          ['/1', '/2', '/4', '/7'],
        );
      },
    ),
  ),
  scenario('an absolute target leads where its own authority says, whatever Host says', [32], () =>
    playTwo(
      [
        { host: 'inner', path: '/', service: 'inner' },
        { host: 'main', path: '/', service: 'main' },
      ],
      async (stage, inner) => {
        assert.equal(await statusOf(stage, 'GET http://main/x HTTP/1.1\r\nHost: inner\r\n\r\n'), 200);
        assert.deepEqual(inner.take().received, []);
        const [received] = stage.origin.take().received;
        assert.deepEqual([received?.target, received?.message.fields[0]], ['/x', ['Host', 'main']]);
      },
    ),
  ),
];
