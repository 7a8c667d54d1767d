import { describe, expect, test } from 'vitest';
import type { ServiceSettings, Settings } from '../../../src/model/settings.ts';
import type { ProcessRun } from '../../../src/runtime/process/settings.ts';
import { testGuards } from '../../control/support/settings.ts';
import { imageRun } from '../../runtime/docker/containers.ts';
import { aroundFile, aroundService, settingsOf } from '../parse.ts';

const docker = 'routes: [{ path: / }]\nrun: { docker: { image: "a:1", port: 80 } }';

function serviceOf(keys: string): ServiceSettings {
  return settingsOf(aroundService(keys)).services[0] as ServiceSettings;
}

test('listen and services are enough: everything else has its default', () => {
  const settings = settingsOf(`
listen: [{ address: "0.0.0.0:8080" }]
services:
  app:
    routes: [{}]
    run: { process: { command: [node, app.js, "{port}"] } }
`);
  const { state: _state, ...rest } = settings;
  expect(rest).toEqual({
    listen: [
      {
        name: undefined,
        address: { host: '0.0.0.0', port: 8080 },
        tls: undefined,
        redirectToHttps: false,
        timeouts: { handshakeMs: 10_000, headMs: 10_000, bodyMs: 30_000, keepAliveMs: 75_000, sendMs: 60_000 },
        limits: {
          head: 32_768,
          fields: 100,
          target: 8192,
          chunkExtensions: 16_384,
          trailers: 16_384,
          requests: 0,
          connections: 10_000,
          connectionsPerClient: 0,
          handshakes: 1000,
          http2: { streams: 100, oddities: 1000 },
        },
        proxyProtocol: false,
        http2: undefined,
      },
    ],
    trustedProxies: [],
    accessLog: undefined,
    workers: 1,
    admin: { address: { host: '127.0.0.1', port: 9400 }, token: undefined },
    parts: {},
    prices: {
      currency: 'EUR',
      replicaHour: undefined,
      memoryHour: undefined,
      cpuHour: undefined,
      waitedHour: undefined,
    },
    budget: {
      replicas: 50,
      concurrentStarts: 4,
      startsPerMinute: 60,
      memory: { share: 0.8 },
      heldBytes: 64 * 2 ** 20,
      compressions: 128,
    },
    services: [
      {
        name: 'app',
        routes: [{ host: undefined, path: '/', maxBody: 0 }],
        endpoints: {},
        run: {
          runtime: 'process',
          kind: 'process',
          command: ['node', 'app.js', '{port}'],
          cwd: '/etc/pilotlight',
          env: {},
          stop: { signal: 'SIGTERM', graceMs: 10_000 },
        } as ProcessRun,
        ready: { kind: 'http', path: '/', statusMin: 200, statusMax: 499, timeoutMs: 60_000 },
        hold: { max: 1000, maxBytes: 16 * 2 ** 20, perClient: 0, timeoutMs: 'auto', page: 'auto' },
        scale: {
          min: 0,
          schedule: [],
          max: 4,
          initial: 1,
          idleMs: 'auto',
          weight: 150,
          pausedCost: 0.5,
          activity: 'bytes',
          patienceMs: 900_000,
          concurrency: 0,
          latency: { aboveMs: 'auto', quantile: 0.95, windowMs: 15_000 },
          shed: [503],
          guards: testGuards,
          dryRun: false,
        },
        balance: 'least-request',
        hashOn: { kind: 'client' },
        sticky: undefined,
        slowStartMs: 0,
        outlier: { consecutive: 5, intervalMs: 10_000, ejectMs: 30_000, maxEjectMs: 300_000, maxShare: 0.5 },
        health: undefined,
        timeouts: { connectMs: 2000, firstByteMs: 60_000, streamMs: 300_000, tunnelMs: 3_600_000, drainMs: 30_000 },
        limits: { head: 65_536, fields: 256, chunkExtensions: 16_384, trailers: 16_384 },
        retries: { max: 1, budget: 0.1, idempotent: false },
        wake: [],
        upstream: { protocol: 'http1', tls: undefined, proxyProtocol: false },
        upstreamHost: undefined,
        engine: 'native',
        allowHalfOpen: false,
        onExit: 'stop',
      },
    ],
  } satisfies Omit<Settings, 'state'>);
});

test('settings are frozen to the bottom', () => {
  const settings = settingsOf(aroundService(docker));
  expect(Object.isFrozen(settings)).toBe(true);
  expect(Object.isFrozen(settings.services[0]?.scale.guards)).toBe(true);
});

test('containers from an image get every default of Docker', () => {
  expect(serviceOf(docker).run).toEqual(imageRun({ image: 'a:1', port: 80 }));
});

describe('defaults that depend on other keys', () => {
  test('an existing container has at most one replica and is kept at exit', () => {
    const service = serviceOf('routes: [{}]\nrun: { docker: { container: a, port: 80 } }');
    expect(service.run).toEqual({
      runtime: 'docker',
      kind: 'docker-container',
      container: 'a',
      port: 80,
      stop: { signal: 'SIGTERM', graceMs: 10_000 },
    });
    expect(service.scale.max).toBe(1);
    expect(service.onExit).toBe('keep');
    const standing = (standby: string) =>
      serviceOf(`routes: [{}]\nrun: { docker: { container: a, port: 80, standby: ${standby} } }`).run;
    expect(standing('created')).toEqual(service.run);
    expect(standing('paused')).toEqual({ ...service.run, standby: 'paused' });
  });

  test('a start from zero brings up at least min', () => {
    expect(serviceOf(`${docker}\nscale: { min: 3 }`).scale.initial).toBe(3);
  });

  test('docker-health in its short and its long form', () => {
    expect(serviceOf(`${docker}\nready: docker-health`).ready).toEqual({ kind: 'own-check', timeoutMs: 60_000 });
    expect(serviceOf(`${docker}\nready: { check: docker-health, timeout: 5s }`).ready).toEqual({
      kind: 'own-check',
      timeoutMs: 5000,
    });
  });
});

describe('what is left empty counts as not given', () => {
  test('keys without a value', () => {
    const settings = settingsOf(aroundFile('admin:\n  address:\n  token: ""\ndefaults:\nbudget: ~\nstate: null'), {
      STATE_DIRECTORY: '/s',
    });
    expect(settings.admin).toEqual({ address: { host: '127.0.0.1', port: 9400 }, token: undefined });
    expect(settings.budget.replicas).toBe(50);
    expect(settings.state).toBe('/s');
  });

  test('but an environment variable may be empty', () => {
    const run = serviceOf(
      'routes: [{}]\nrun: { process: { command: [a, "{port}", ""], env: { A: , B: "", C: null } } }',
    ).run;
    expect(run).toMatchObject({ command: ['a', '{port}', ''], env: { A: '', B: '', C: '' } });
  });
});

describe('values are what their option makes of them', () => {
  test('a number where a text is wanted stays as it was written', () => {
    const run = serviceOf(
      'routes: [{}]\nrun: { docker: { image: 1.10, port: 80, env: { V: 1.10, W: yes, X: 0x1F } } }',
    ).run;
    expect(run).toMatchObject({ image: '1.10', env: { V: '1.10', W: 'yes', X: '0x1F' } });
  });

  test('a quoted number where a number is wanted', () => {
    expect(serviceOf(`${docker}\nscale: { max: "3" }`).scale.max).toBe(3);
  });

  test('shares as percentages or fractions', () => {
    const { retries, scale } = serviceOf(
      `${docker}\nretries: { budget: 0.25 }\nscale: { guards: { liftAt: 250%, downBelow: 50% } }`,
    );
    expect(retries.budget).toBe(0.25);
    expect(scale.guards).toMatchObject({ liftAt: 2.5, downBelow: 0.5 });
  });

  test('hosts are lower-cased, without trailing dot, internationalised ones as ASCII', () => {
    const { routes } = serviceOf(
      `run: { docker: { image: a, port: 80 } }\nroutes: [{ host: Shop.Example.COM. }, { host: "*.BÜCHER.example" }, { host: "[::1]" }, { host: 10.0.0.1 }]`,
    );
    expect(routes.map(({ host }) => host)).toEqual([
      'shop.example.com',
      '*.xn--bcher-kva.example',
      '[::1]',
      '10.0.0.1',
    ]);
  });

  test('paths lose their trailing slash', () => {
    const { routes } = serviceOf(
      'run: { docker: { image: a, port: 80 } }\nroutes: [{ path: /api/ }, { path: /a%20b }, {}]',
    );
    expect(routes.map(({ path }) => path)).toEqual(['/api', '/a%20b', '/']);
  });

  test('endpoints, IPv6 without its brackets', () => {
    const { endpoints } = serviceOf(
      'routes: [{}]\nendpoints: { static: ["[FD00::5]:80", "web:8080"], consul: { service: a } }',
    );
    expect(endpoints).toEqual({
      consul: { service: 'a' },
      static: {
        addresses: [
          { host: 'fd00::5', port: 80, weight: 1, backup: false, maxConnections: 0 },
          { host: 'web', port: 8080, weight: 1, backup: false, maxConnections: 0 },
        ],
        resolveMs: 30_000,
      },
    });
  });

  test('idle never, a hold of fixed length, a status alone, a signal in short', () => {
    const service = serviceOf(`routes: [{}]
run: { process: { command: ["{port}"], stop: { signal: int, grace: 0s } } }
scale: { idle: never }
hold: { timeout: 1.5s, page: off }
ready: { status: 204, path: "/health?full=1" }
wake: [{ path: /x/, userAgent: "*bot*", then: deny }, { then: answer, status: 204 }]`);
    expect(service.scale.idleMs).toBe('never');
    expect(service.hold).toMatchObject({ timeoutMs: 1500, page: 'off' });
    expect(service.ready).toMatchObject({ path: '/health?full=1', statusMin: 204, statusMax: 204 });
    expect(service.run).toMatchObject({ stop: { signal: 'SIGINT', graceMs: 0 } });
    expect(service.wake).toEqual([
      { path: '/x', userAgent: '*bot*', then: 'deny', status: 200 },
      { path: undefined, userAgent: undefined, then: 'answer', status: 204 },
    ]);
  });

  test('relative paths count from the folder of the file', () => {
    const settings = settingsOf(`listen: [{ address: "127.0.0.1:1" }]
state: state
consul: { caCert: ../ca.pem }
services:
  p: { routes: [{ path: /p }], run: { process: { command: ["{port}"], cwd: ../app } } }
  d: { routes: [{ path: /d }], run: { docker: { image: a, port: 1, volumes: [./data:/data:ro, named:/n, /abs:/a] } } }
`);
    expect(settings.state).toBe('/etc/pilotlight/state');
    expect(settings.parts['consul']).toMatchObject({ caCert: '/etc/ca.pem' });
    expect(settings.services[0]?.run).toMatchObject({ cwd: '/etc/app' });
    expect(settings.services[1]?.run).toMatchObject({
      volumes: ['/etc/pilotlight/data:/data:ro', 'named:/n', '/abs:/a'],
    });
  });

  test('anchors and aliases', () => {
    const settings = settingsOf(`listen: [{ address: "127.0.0.1:1" }]
services:
  a: { routes: [{ path: /a }], endpoints: &same { static: ["x:1"] } }
  b: { routes: [{ path: /b }], endpoints: *same }
`);
    expect(settings.services[1]?.endpoints['static']).toMatchObject({ addresses: [{ host: 'x', port: 1 }] });
  });
});

test('a file with thousands of aliases is read in one pass', () => {
  // Looked for anew for each of them, the anchor would take minutes to find.
  const services = Array.from(
    { length: 4000 },
    (_, index) => `  s${index}: { routes: [{ path: /${index} }], endpoints: *same }`,
  );
  const settings = settingsOf(`listen: [{ address: "127.0.0.1:1" }]
services:
  first: { routes: [{ path: /first }], endpoints: &same { static: ["x:1"] } }
${services.join('\n')}
`);
  expect(settings.services).toHaveLength(4001);
});

describe('the defaults section', () => {
  const file = (service: string) => `listen: [{ address: "127.0.0.1:1" }]
defaults:
  scale: { min: 1, latency: { above: 2s } }
  hold: { max: 5 }
  wake: [{ path: /a, then: deny }]
  ready: { path: /health, timeout: 5s }
  upstreamHost: inner
services:
  app:
    routes: [{}]
    run: { docker: { image: a, port: 80 } }
${service.replace(/^(?=.)/gm, '    ')}
`;
  const merged = (service: string) => settingsOf(file(service)).services[0] as ServiceSettings;

  test('holds where the service is silent', () => {
    const service = merged('');
    expect(service.scale).toMatchObject({ min: 1, max: 4, latency: { aboveMs: 2000, quantile: 0.95 } });
    expect(service.hold).toMatchObject({ max: 5, perClient: 0 });
    expect(service.wake).toHaveLength(1);
    expect(service.upstreamHost).toBe('inner');
  });

  test('is merged key by key, at any depth; lists are replaced', () => {
    const service = merged('scale: { latency: { quantile: 0.5 }, max: 2 }\nwake: []\nupstreamHost: outer');
    expect(service.scale).toMatchObject({ min: 1, max: 2, latency: { aboveMs: 2000, quantile: 0.5 } });
    expect(service.wake).toEqual([]);
    expect(service.upstreamHost).toBe('outer');
  });

  test('a key left empty in the service leaves the default', () => {
    expect(merged('hold:\n  max:').hold.max).toBe(5);
  });

  test('another readiness check takes over the time-out only', () => {
    expect(merged('ready: docker-health').ready).toEqual({ kind: 'own-check', timeoutMs: 5000 });
    expect(merged('ready: { status: 200 }').ready).toMatchObject({ path: '/health', statusMax: 200, timeoutMs: 5000 });
  });
});

describe('the environment', () => {
  const withConsul = aroundFile('consul: {}\ndocker: {}');

  test.each([
    [{ STATE_DIRECTORY: '/var/lib/a:/var/lib/b', XDG_STATE_HOME: '/x' }, '/var/lib/a'],
    [{ XDG_STATE_HOME: '/x' }, '/x/pilotlight'],
    [{}, process.getuid?.() === 0 ? '/var/lib/pilotlight' : '/home/op/.local/state/pilotlight'],
  ])('says where the state is: %j', (env, expected) => {
    expect(settingsOf(aroundFile(''), env).state).toBe(expected);
  });

  test('without it Consul and Docker are where they usually are', () => {
    const { consul, docker: engine } = settingsOf(withConsul).parts;
    expect(consul).toEqual({
      address: 'http://127.0.0.1:8500',
      token: undefined,
      caCert: undefined,
      register: false,
      advertise: undefined,
    });
    expect(engine).toEqual({ socket: '/var/run/docker.sock', reach: 'auto' });
  });

  test('gives the defaults of its keys', () => {
    const env = {
      CONSUL_HTTP_ADDR: 'consul.internal:8500',
      CONSUL_HTTP_TOKEN: 't',
      CONSUL_CACERT: '/ca.pem',
      DOCKER_HOST: 'unix:///run/user/1000/docker.sock',
    };
    expect(settingsOf(withConsul, env).parts).toMatchObject({
      consul: { address: 'http://consul.internal:8500', token: 't', caCert: '/ca.pem' },
      docker: { socket: '/run/user/1000/docker.sock' },
    });
    const own = aroundFile('consul: { address: "https://c:1", token: own }\ndocker: { socket: "tcp://d:2375" }');
    expect(settingsOf(own, env).parts).toMatchObject({
      consul: { address: 'https://c:1', token: 'own' },
      docker: { socket: 'tcp://d:2375' },
    });
  });

  test('the sections are in use when a service needs them, and only then', () => {
    const followed = settingsOf(aroundService('routes: [{}]\nendpoints: { consul: { service: a } }'), {
      DOCKER_HOST: 'rubbish',
    });
    expect(followed.parts).toMatchObject({ consul: { address: 'http://127.0.0.1:8500' } });
    expect(Object.keys(followed.parts)).toEqual(['consul']);
    const container = settingsOf(aroundService(docker), { CONSUL_HTTP_ADDR: 'ftp://rubbish' });
    expect(container.parts).toMatchObject({ docker: { socket: '/var/run/docker.sock' } });
    expect(Object.keys(container.parts)).toEqual(['docker']);
  });
});
