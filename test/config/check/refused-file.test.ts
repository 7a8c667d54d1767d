import { describe, expect, test } from 'vitest';
import { aroundFile, aroundService, marked, problemsOf } from '../parse.ts';
import { routed } from './refusals.ts';

describe('rules across services', () => {
  const listen = 'listen: [{ address: "127.0.0.1:8080" }]\n';

  test('the same host and path twice, whatever their spelling', () => {
    const { text, place } = marked(`${listen}services:
  a: { routes: [{ host: shop.example.com, path: /api }], endpoints: { static: ["x:1"] } }
  b: { routes: [{ host: Shop.Example.COM., path: §/api/ }], endpoints: { static: ["x:1"] } }
`);
    expect(problemsOf(text)).toEqual([`${place}  services.b.routes[0].path: shop.example.com/api already leads to a`]);
  });

  test.each([
    ['/%61pi', '/api', ''],
    ['/caf%c3%a9/', '/caf%C3%A9', ''],
    ['/API, caseInsensitive: true', '/api', ', but for upper and lower case'],
  ])('the same path as %s', (path, same, how) => {
    const { text, place } = marked(`${listen}services:
  a: { routes: [{ host: shop.example.com, path: ${same} }], endpoints: { static: ["x:1"] } }
  b: { routes: [{ host: shop.example.com, path: §${path} }], endpoints: { static: ["x:1"] } }
`);
    const shown = how === '' ? same : '/API';
    const message = `shop.example.com${shown} already leads to a${how}`;
    expect(problemsOf(text)).toEqual([`${place}  services.b.routes[0].path: ${message}`]);
  });

  test('a service with neither endpoints nor run', () => {
    const { text, place } = marked(`${listen}services:\n  §a:\n    routes: [{ path: / }]\n    endpoints: {}\n`);
    const message = 'needs endpoints (consul or static) to route to, or run to start replicas';
    expect(problemsOf(text)).toEqual([`${place}  services.a: ${message}`]);
  });

  test('a service with no content', () => {
    const { text, place } = marked(`${listen}services:\n  §a:\n`);
    expect(problemsOf(text)).toEqual([`${place}  services.a: expected a mapping, found nothing`]);
  });

  test('a name that is none', () => {
    const { text, place } = marked(`${listen}services:\n  §Shop_1: { routes: [{}], endpoints: { static: ["x:1"] } }\n`);
    const message = 'a service name is a-z, 0-9 and "-", at most 63 characters, not "-" first';
    expect(problemsOf(text)).toEqual([`${place}  services.Shop_1: ${message}`]);
  });

  test('what the services keep running is over the budget', () => {
    const { text, place } = marked(`${listen}budget: { replicas: §3 }
services:
  a: { routes: [{ path: /a }], run: { docker: { image: a, port: 1 } }, scale: { min: 2, max: 2 } }
  b: { routes: [{ path: /b }], run: { docker: { image: a, port: 1 } }, scale: { min: 2, max: 2 } }
`);
    expect(problemsOf(text)).toEqual([
      `${place}  budget.replicas: the services' min add up to 4, over budget.replicas (3)`,
    ]);
  });

  test('a start that is over the budget', () => {
    const { text, place } = marked(`${listen}budget: { replicas: 3 }
services:
  a: { routes: [{ path: /a }], run: { docker: { image: a, port: 1 } }, scale: { initial: §4 } }
`);
    expect(problemsOf(text)).toEqual([`${place}  services.a.scale.initial: initial 4 is over budget.replicas (3)`]);
  });
});

describe('the file as a whole', () => {
  test('what is required is missing', () => {
    expect(problemsOf('budget: {}\n')).toEqual(['1:1  listen: is missing', '1:1  services: is missing']);
  });

  test('nothing in it', () => {
    const message = 'nothing in it: listen and services are required';
    expect(problemsOf('')).toEqual([`1:1  ${message}`]);
    expect(problemsOf('# only a comment\n')).toEqual([`1:1  ${message}`]);
  });

  test('a list at the top', () => {
    expect(problemsOf('- a\n')).toEqual(['1:1  expected a mapping at the top']);
  });

  test('a key twice', () => {
    const { text, place } = marked(`${aroundService(routed)}  §app: {}\n`);
    expect(problemsOf(text)).toEqual([`${place}  services.app: the key is already set on line 3`]);
  });

  test.each([
    ['a tab for indentation', 'listen:\n§\t- a\n'],
    ['a bracket that is never closed', 'listen: [{ address: a }\n§services: {}\n'],
    ['a quote that is never closed', 'listen: "a§'],
    ['an alias without anchor', 'listen: §*nope\nservices: {}\n'],
    ['an unknown tag', 'listen: §!money 5\n'],
    ['a second document', 'listen: []\n§---\nservices: {}\n'],
  ])('YAML syntax: %s', (_name, yaml) => {
    const { text, place } = marked(yaml);
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${place}  \\S`));
  });

  test('an anchor within itself', () => {
    const { text, place } = marked('listen: &a [§*a]\nservices: {}\n');
    expect(problemsOf(text)[0]).toBe(`${place}  listen[0]: an anchor may not contain itself`);
  });

  test('anchors that repeat each other until no memory holds them', () => {
    const levels = Array.from(
      { length: 12 },
      (_, index) => `x${index}: &a${index} [${index === 0 ? '1' : `*a${index - 1}, `.repeat(10)}]`,
    );
    const problems = problemsOf(`${levels.join('\n')}\n`);
    expect(problems.filter((problem) => problem.endsWith('aliases repeat too much'))).toHaveLength(1);
  });

  test('anchors that nest each other deeper than any stack', () => {
    const levels = Array.from({ length: 40 }, (_, index) => {
      return `x${index}: &a${index} ${'['.repeat(100)}${index === 0 ? '1' : `*a${index - 1}`}${']'.repeat(100)}`;
    });
    const problems = problemsOf(`${levels.join('\n')}\n`);
    expect(problems.filter((problem) => problem.endsWith('aliases repeat too much'))).toHaveLength(1);
  });

  test('all problems are told, by position', () => {
    const text = `lsiten: []
listen: [{ address: nowhere }]
admin: { address: "0.0.0.0:1" }
services:
  a: { routes: [{ path: a }], blance: random }
  b: { routes: [{ path: / }] }
`;
    expect(problemsOf(text)).toEqual([
      '1:1  lsiten: unknown key (did you mean "listen"?)',
      '2:21  listen[0].address: expected host:port, such as 0.0.0.0:8080 or [::]:8080, found "nowhere"',
      '3:19  admin.address: 0.0.0.0:1 is not a loopback address: set admin.token',
      '5:25  services.a.routes[0].path: a path starts with "/"',
      '5:31  services.a.blance: unknown key (did you mean "balance"?)',
      '6:3  services.b: needs endpoints (consul or static) to route to, or run to start replicas',
    ]);
  });

  test('a wrong default is told once, not once per service', () => {
    const text = `${aroundFile('defaults: { hold: { max: 0 } }')}`;
    expect(problemsOf(text)).toHaveLength(1);
  });
});
