import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRule, type Rule, readRule } from '../../../src/config/declare/dialects/traefik-rule.ts';
import { container, declaringFile, merged } from './declarations.ts';

const file = declaringFile('declare: { docker: true, dialects: [fabio, traefik, sablier] }');
const statusOf = (labels: Record<string, string>) => merged(file, [container('shop', labels)]).standing[0];
const serviceOf = (labels: Record<string, string>) => {
  const { settings, standing } = merged(file, [container('shop', labels)]);
  if (settings.services[0] === undefined) throw new Error(standing[0]?.problems.join('\n'));
  return settings.services[0];
};

test('labels of others declare nothing unless their dialect is switched on', () => {
  const { standing } = merged(declaringFile(), [
    container('shop', {
      'urlprefix-a.example/': '',
      'traefik.http.routers.a.rule': 'Host(`a`)',
      'sablier.enable': 'true',
    }),
  ]);
  expect(standing).toEqual([]);
});

describe('fabio', () => {
  test('routes with strip, host, proto and allow', () => {
    const service = serviceOf({
      'urlprefix-shop.example/api strip=/api host=shop.internal proto=https tlsskipverify=true': '',
      'urlprefix-*.shop.example': 'allow=ip:10.0.0.0/8,ip:192.168.0.1',
    });
    expect(
      service.routes.map(({ host, path, rules }) => [host, path, rules?.strip ?? false, rules?.allow ?? []]),
    ).toEqual([
      ['shop.example', '/api', true, []],
      ['*.shop.example', '/', false, ['10.0.0.0/8', '192.168.0.1']],
    ]);
    expect(service.upstreamHost).toBe('shop.internal');
    expect(service.upstream?.tls?.verify).toBe(false);
  });

  test('redirects', () => {
    const [route] = serviceOf({ 'urlprefix-old.example/': 'redirect=301,https://new.example$path' }).routes;
    expect(route?.rules?.redirect).toEqual({ status: 301, to: 'https://new.example{path}' });
  });

  test.each([
    ['urlprefix-:3306 proto=tcp', 'TCP is led by a listener of the file'],
    ['urlprefix-a.example/b strip=/c', 'strip: expected the path of the route (/b), found /c'],
    ['urlprefix-a.example/ auth=ops', 'auth is not understood'],
    ['urlprefix-a.example/ deny=ip:10.0.0.0/8', 'deny is not understood'],
    ['urlprefix-a.example/ host=dst', 'host: expected a name'],
    ['urlprefix-a.example/ proto=tcp+sni', 'proto: expected http, https, grpc or grpcs'],
  ])('%s keeps the service out', (tag, message) => {
    const status = statusOf({ [tag]: '' });
    expect(status?.state).toBe('refused');
    expect(status?.problems[0]).toContain(message);
    expect(status?.problems[0]).toContain(`label ${tag}`);
  });

  test('weights of tags are shares of the instances that have them, in Consul', () => {
    const ofOthers = 'traefik.tags=a weight=0.5';
    const tags = ['urlprefix-a.example/ weight=0.05', 'urlprefix-a.example/', ofOthers];
    const consul = {
      word: 'tag',
      binding: { endpoints: { consul: { service: 'shop' } } },
      portAt: undefined,
      sharesAt: ['endpoints', 'consul', 'shares'],
      tags,
    } as const;
    const { settings, standing } = merged(file, [container('shop', { [tags[1] as string]: '' }, consul)]);
    expect(standing[0]).toMatchObject({ state: 'in force', remarks: [] });
    expect(settings.services[0]?.endpoints).toEqual({
      consul: { service: 'shop', shares: { [tags[0] as string]: 0.05 } },
    });
    const wrong = merged(file, [container('shop', { 'urlprefix-a.example/ weight=5': '' }, consul)]).standing[0];
    expect(wrong?.problems).toEqual([
      'tag urlprefix-a.example/ weight=5: weight: expected a share from 0 to 1, found 5',
    ]);
  });

  test('tlsskipverify turns on no TLS of its own', () => {
    expect(statusOf({ 'urlprefix-a.example/': 'tlsskipverify=true' })?.remarks).toEqual([
      'label urlprefix-a.example/: tlsskipverify is left out without proto=https or grpcs',
    ]);
    expect(serviceOf({ 'urlprefix-a.example/': 'tlsskipverify=true' }).upstream?.tls).toBeUndefined();
    for (const options of ['tlsskipverify=true proto=https', 'proto=https tlsskipverify=true']) {
      expect(serviceOf({ 'urlprefix-a.example/': options }).upstream?.tls).toMatchObject({ verify: false });
    }
  });

  test('weights and unknown options are said and left out', () => {
    expect(statusOf({ 'urlprefix-a.example/': 'weight=0.5 colour=blue' })).toMatchObject({
      state: 'in force',
      remarks: [
        'label urlprefix-a.example/: weight is left out: one container is all that the route leads to, and takes every request',
        'label urlprefix-a.example/: colour is not understood and left out',
      ],
    });
  });
});

describe('Traefik', () => {
  const labels = {
    'traefik.enable': 'true',
    'traefik.http.routers.shop.rule': '(Host(`Shop.example`) || Host(`www.shop.example`)) && PathPrefix(`/api`)',
    'traefik.http.routers.shop.middlewares': 'cut@docker, inside',
    'traefik.http.middlewares.cut.stripPrefix.prefixes': '/api',
    'traefik.http.middlewares.inside.ipAllowList.sourceRange': '10.0.0.0/8',
    'traefik.http.services.shop.loadBalancer.server.port': '8080',
  };

  test('routers, middlewares and the port', () => {
    const service = serviceOf(labels);
    expect(service.routes.map(({ host, path, rules }) => [host, path, rules?.strip, rules?.allow])).toEqual([
      ['shop.example', '/api', true, ['10.0.0.0/8']],
      ['www.shop.example', '/api', true, ['10.0.0.0/8']],
    ]);
    expect(service.run).toMatchObject({ port: 8080 });
  });

  test('a container stays awake, and sleeps with the labels of Sablier, in its group', () => {
    expect(serviceOf(labels).scale.idleMs).toBe('never');
    const watched = serviceOf({ ...labels, 'sablier.enable': 'true', 'sablier.group': 'shop' });
    expect(watched).toMatchObject({ group: 'shop', scale: { idleMs: 'auto' } });
    expect(serviceOf({ 'sablier.enable': 'true' })).toMatchObject({ group: 'default', routes: [], isTcp: true });
  });

  test('a service that is not run here has nothing said of its sleep', () => {
    const binding = { endpoints: { consul: { service: 'shop' } } };
    const { settings, standing } = merged(file, [
      container('shop', { 'traefik.http.routers.shop.rule': 'Host(`a`)' }, { binding, portAt: undefined, word: 'tag' }),
    ]);
    expect(standing[0]).toMatchObject({ state: 'in force', remarks: [] });
    expect(settings.services[0]?.endpoints).toEqual(binding.endpoints);
  });

  test('what may guard the service keeps it out where it is not understood', () => {
    const status = statusOf({ ...labels, 'traefik.http.middlewares.inside.basicauth.users': 'x:y' });
    expect(status?.state).toBe('refused');
    expect(status?.problems[0]).toContain(
      'label traefik.http.middlewares.inside.basicauth.users: the middleware inside',
    );
    const missing = statusOf({ ...labels, 'traefik.http.routers.shop.middlewares': 'auth@file' });
    expect(missing?.problems[0]).toContain('expected labels of the middleware auth@file, found none');
  });

  test('a router that leads to Traefik itself gets no route, and one that leads elsewhere keeps it out', () => {
    const router = { 'traefik.http.routers.api.rule': 'Host(`traefik.example`)' };
    const inside = serviceOf({ ...labels, ...router, 'traefik.http.routers.api.service': 'api@internal' });
    expect(inside.routes.map(({ host }) => host)).toEqual(['shop.example', 'www.shop.example']);
    const other = statusOf({ ...labels, ...router, 'traefik.http.routers.api.service': 'admin' });
    expect(other?.problems).toEqual([
      'label traefik.http.routers.api.service: expected labels of the service admin, found none',
    ]);
    const two = statusOf({ ...labels, 'traefik.http.services.admin.loadbalancer.server.port': '9000' });
    expect(two?.problems).toEqual([
      'label traefik.http.services.admin.loadbalancer.server.port: expected one port; label traefik.http.services.shop.loadBalancer.server.port names 8080',
    ]);
    const named = { ...labels, 'traefik.http.routers.shop.service': 'Shop@docker' };
    expect(statusOf(named)?.state).toBe('in force');
  });

  test('options of TLS keep it out: they may ask for certificates of clients', () => {
    const status = statusOf({ ...labels, 'traefik.http.routers.shop.tls.options': 'mutual@file' });
    expect(status?.problems).toEqual([
      'label traefik.http.routers.shop.tls.options: is not understood, and it may guard the service',
    ]);
  });

  test('a router that only redirects to https is left out, and entry points are', () => {
    const status = statusOf({
      ...labels,
      'traefik.http.routers.plain.rule': 'Host(`shop.example`)',
      'traefik.http.routers.plain.entrypoints': 'web',
      'traefik.http.routers.plain.middlewares': 'secure',
      'traefik.http.middlewares.secure.redirectscheme.scheme': 'https',
    });
    expect(status?.state).toBe('in force');
    expect(status?.remarks).toEqual([
      'label traefik.http.routers.plain.entrypoints: entrypoints is left out',
      'label traefik.http.middlewares.secure.redirectscheme.scheme: the router plain is left out: redirectToHttps of a listener does what it does',
    ]);
  });
});

describe('a rule of Traefik', () => {
  test.each([
    ['Path(`/a`)', 'Path is a condition, and routes have no conditions yet: Host, PathPrefix and ClientIP are all'],
    ['Host(`a`) && Method(`GET`)', 'Method is a condition, and routes have no conditions yet'],
    ['Host(`a`) && Header(`X-A`, `1`)', 'Header is a condition, and routes have no conditions yet'],
    ['!Host(`a`)', '"!" is a condition, and routes have no conditions yet'],
    ['Hots(`a`)', 'expected Host, PathPrefix or ClientIP, found Hots'],
    ['Host(`a`) && Host(`b`)', 'asks for two hosts at once: a and b'],
    ['Host(`a`', 'expected ")" at character 9 of the rule'],
    ['Host(a)', 'expected a text in backticks or quotes at character 6'],
    ['Host(`a`) Host(`b`)', 'expected && or || at character 11'],
    ['', 'expected a condition such as Host(`shop.example.com`) at character 1'],
    ['('.repeat(100), 'expected at most 32 levels'],
    [Array.from({ length: 101 }, () => 'Host(`a`)').join('||'), 'comes to more than 100 routes'],
  ])('that routes cannot express is told: %s', (rule, message) => {
    const reading = readRule(rule);
    expect('fault' in reading ? reading.fault : reading).toContain(message);
  });

  test('is read the same however it is written', () => {
    const call = fc.record({
      kind: fc.constant('call' as const),
      name: fc.constantFrom('Host', 'PathPrefix', 'ClientIP', 'Method'),
      args: fc.array(fc.stringMatching(/^[a-z0-9./]{0,8}$/), { minLength: 1, maxLength: 3 }),
    });
    const { rule } = fc.letrec<{ rule: Rule }>((tie) => ({
      rule: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        call,
        fc.record({ kind: fc.constant('not' as const), of: tie('rule') }),
        fc.record({
          kind: fc.constantFrom('and' as const, 'or' as const),
          all: fc.array(tie('rule'), { minLength: 2, maxLength: 3 }),
        }),
      ) as fc.Arbitrary<Rule>,
    }));
    fc.assert(
      fc.property(rule, fc.constantFrom('', ' '), (given, blank) => {
        expect(parseRule(written(given, blank))).toEqual(given);
      }),
    );
  });

  test('never throws anything but what is told, whatever is written', () => {
    const pieces = fc.array(
      fc.constantFrom('Host', '(', ')', '`a`', '"', '&&', '||', '!', ',', ' ', 'PathPrefix(`/`)'),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          pieces.map((all) => all.join('')),
        ),
        (text) => {
          const reading = readRule(text);
          expect('fault' in reading || reading.matches.length > 0).toBe(true);
        },
      ),
    );
  });
});

/** A rule as it could be written, in parentheses wherever it holds others. */
function written(rule: Rule, blank: string): string {
  if (rule.kind === 'call') return `${rule.name}(${rule.args.map((arg) => `\`${arg}\``).join(`,${blank}`)})`;
  if (rule.kind === 'not') return `!${blank}(${written(rule.of, blank)})`;
  return rule.all
    .map((inner) => `(${written(inner, blank)})`)
    .join(`${blank}${rule.kind === 'and' ? '&&' : '||'}${blank}`);
}
