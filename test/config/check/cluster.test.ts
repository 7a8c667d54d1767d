import { expect, test } from 'vitest';
import { formatProblem } from '../../../src/config/check/problem.ts';
import { parseConfig } from '../../../src/config/load/parse.ts';

const SECRET = 'a-secret-of-many-characters';

const PLAIN = '{ address: 127.0.0.1:1 }';

function read(
  cluster: string,
  rest = 'consul: {}',
  service = 'endpoints: { static: [127.0.0.1:2] }',
  listen = PLAIN,
  routes = '{}',
) {
  const text = [
    `listen: [${listen}]`,
    rest,
    `cluster: ${cluster}`,
    `services: { app: { routes: [${routes}], ${service} } }`,
  ].join('\n');
  return parseConfig(text, '/tmp/pilotlight.yaml', {});
}

function problemsOf(...args: Parameters<typeof read>): string[] {
  const result = read(...args);
  return result.ok ? [] : result.problems.map((each) => formatProblem(each).replace(/^.*? {2}/, ''));
}

const CLUSTER = `{ name: edge, advertise: 10.0.0.7:9401, secret: ${SECRET} }`;

test('a member needs no more than a name, where it is, and the secret', () => {
  const result = read(CLUSTER);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  expect(result.warnings).toEqual([]);
  expect(result.settings.cluster).toEqual({
    name: 'edge',
    advertise: { host: '10.0.0.7', port: 9401 },
    secret: SECRET,
    ttlMs: 10_000,
    leaseMs: 5000,
  });
});

test('without a name a proxy acts alone', () => {
  const result = read('{ advertise: 10.0.0.7:9401 }', 'trustedProxies: []');
  expect(result.ok && result.settings.cluster).toBe(undefined);
});

test.each([
  [
    'a secret that is easily guessed',
    '{ name: edge, advertise: a:1, secret: short }',
    'cluster.secret: expected 16 to',
  ],
  ['no secret', '{ name: edge, advertise: a:1 }', 'cluster: needs secret'],
  ['nowhere to be reached', `{ name: edge, secret: ${SECRET} }`, 'cluster: needs advertise'],
  [
    'a wildcard',
    `{ name: edge, advertise: 0.0.0.0:1, secret: ${SECRET} }`,
    'cluster.advertise: the address under which',
  ],
  ['no port', `{ name: edge, advertise: 10.0.0.7, secret: ${SECRET} }`, 'cluster.advertise: expected a host:port'],
])('%s is refused in one line', (_what, cluster, message) => {
  const problems = problemsOf(cluster);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(message);
  expect(problems[0]).not.toContain('short');
});

test('a lock needs Consul', () => {
  expect(problemsOf(CLUSTER, 'trustedProxies: []')).toEqual([
    'cluster: needs the section consul, where the lock of the leader is',
  ]);
});

test.each([
  ['a process', 'run: { process: { command: [app, "{port}"] } }', 'other members cannot reach it; use swarm'],
  ['a container of this machine', 'run: { docker: { image: app, port: 80 } }', 'unless docker.socket is tcp://'],
  [
    'replicas that end with the proxy',
    'onExit: stop, run: { docker: { image: app, port: 80 } }',
    'the other members go on',
  ],
])('%s, which other members cannot use, is refused', (_what, service, message) => {
  expect(problemsOf(CLUSTER, 'consul: {}', service).join('\n')).toContain(message);
});

test('containers of an engine that every member reaches are shared', () => {
  const consul = 'consul: {}\ndocker: { socket: tcp://10.0.0.9:2375 }';
  expect(problemsOf(CLUSTER, consul, 'run: { docker: { image: app, port: 80 } }')).toEqual([]);
});

test('certificates are ordered for all members', () => {
  const tls = '{ acme: { directory: "https://acme.test/dir", challenge: tls-alpn-01 } }';
  const listen = `${PLAIN}, { name: public, address: 127.0.0.1:443, tls: ${tls} }`;
  expect(problemsOf(CLUSTER, 'consul: {}', undefined, listen, '{ host: a.test }')).toEqual([]);
});
