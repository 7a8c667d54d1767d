import { expect, test } from 'vitest';
import { aroundFile, aroundService, marked, warningsOf } from '../parse.ts';

const run = 'routes: [{}]\nrun: { docker: { image: a, port: 80 } }';
const routed = 'routes: [{}]\nendpoints: { static: ["a:1"] }';

test.each([
  [
    'a path that applications read as another one',
    aroundService('routes: [{}, { path: §/a%2Fb, maxBody: 1KiB }]\nendpoints: { static: ["a:1"] }'),
    'services.app.routes[1].path: applications may read it as /a/b: unless that leads to the same, its requests are 400',
  ],
  [
    'a slash behind a slash',
    aroundService('routes: [{ addSlash: §true }]\nendpoints: { static: ["a:1"] }'),
    'services.app.routes[0].addSlash: "/" has its slash',
  ],
  [
    'options of a start without run',
    aroundService(`${routed}\n§hold: { max: 5 }`),
    'services.app.hold: means nothing for a service without run',
  ],
  [
    'a rule that hides others',
    aroundService(`${run}\nwake: [§{ then: deny }, { path: /, then: wake }]`),
    'services.app.wake[0]: matches every request: the rules after it never do',
  ],
  [
    'a max over the budget',
    `${aroundService(`${run}\nscale: { max: §9 }`)}budget: { replicas: 5 }\n`,
    'services.app.scale.max: max 9 is over budget.replicas (5) and is never reached',
  ],
  [
    'held bytes over the budget',
    `${aroundService(`${run}\nhold: { maxBytes: §2MiB }`)}budget: { heldBytes: 1MiB }\n`,
    'services.app.hold.maxBytes: is over budget.heldBytes and is never reached',
  ],
  [
    'believing everyone',
    aroundFile('trustedProxies: [10.0.0.0/8, §"::/0"]'),
    'trustedProxies[1]: believes the forwarding headers of everyone',
  ],
  [
    'a Consul for nothing',
    aroundFile('§consul: { token: x }'),
    'consul: no service uses it, and nothing is registered',
  ],
  [
    'no service',
    'listen: [{ address: "127.0.0.1:1" }]\n§services: {}\n',
    'services: no service: every request is answered with 404',
  ],
  [
    'checks for a host that nobody named',
    aroundService('routes: [{ host: "*.b.test" }]\nendpoints: { static: ["a:1"] }\n§health: {}'),
    'services.app.health: its checks go out with "Host: localhost", since no route names one host: set health.host, ' +
      'unless the application answers whatever it is called',
  ],
  [
    'readiness that depends on a host that nobody named',
    aroundService(`${run}\nready: { status: §200 }`),
    'services.app.ready.status: its checks go out with "Host: localhost", since no route names one host: set ready.host, ' +
      'unless the application answers whatever it is called',
  ],
])('a usable file is warned of: %s', (_name, yaml, warning) => {
  const { text, place } = marked(yaml);
  expect(warningsOf(text)).toEqual([`${place}  ${warning}`]);
});

test('what is right is not warned of', () => {
  expect(
    warningsOf(aroundService(`${run}\nhold: { max: 5 }\nwake: [{ path: /, then: deny }, { then: wake }]`)),
  ).toEqual([]);
});

test.each([
  ['a route names a host', 'routes: [{}, { host: a.test }]\nhealth: {}'],
  ['the host is told', 'routes: [{}]\nhealth: { host: a.test }'],
  ['the host is told for readiness', 'routes: [{}]\nready: { host: "a.test:81", status: 200 }'],
  ['requests have another host', 'routes: [{}]\nupstreamHost: a.test\nhealth: {}'],
  ['nothing is asked', 'routes: [{}]\nhealth: { tcp: true }'],
  ['a refusal is good enough', 'routes: [{}]\nhealth: { status: 200-499 }'],
])('checks are not warned of where %s', (_, keys) => {
  expect(warningsOf(aroundService(`${keys}\nrun: { docker: { image: a, port: 80 } }`))).toEqual([]);
});
