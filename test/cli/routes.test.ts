import { expect, test } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import type { RouteExplanation, RouteStatus } from '../../src/model/routes.ts';
import { fakeAdmin } from './fake-admin.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { noProgram } from './no-program.ts';

const route = (service: string, host: string | null, path: string | null): RouteStatus => {
  return { host, path, service, listeners: null, rules: [] };
};

const explanation: RouteExplanation = {
  method: 'GET',
  host: 'a.test',
  path: '/api',
  listener: { name: null, address: '0.0.0.0:80' },
  route: route('api', 'a.test', '/api'),
  refusal: null,
  why: 'the host a.test, and the longest path of it: /api',
  then: ['goes to api'],
  others: [{ route: route('site', 'a.test', '/'), why: '/api is longer' }],
  elsewhere: 2,
};

async function cli(line: string, body: unknown) {
  const admin = await fakeAdmin(200, body);
  const terminal = fakeTerminal();
  const code = await runCli([...line.split(' '), '--admin', admin.url], noProgram, terminal);
  return { code, terminal, asked: admin.asked, text: terminal.stdout.join('\n') };
}

test('routes are a table, of one host where it is named', async () => {
  const routes = [{ ...route('shop', 'a.test', '/'), rules: ['cuts /a off'] }, route('db', null, null)];
  const { code, text, asked } = await cli('routes --host a.test', routes);
  expect(code).toBe(0);
  expect(asked).toEqual(['GET /v1/routes?host=a.test -']);
  expect(text).toMatch(/^host +path +service +listeners +rules\na\.test +\/ +shop +all +cuts \/a off\n\* +tcp +db/);
});

test('a request is explained: what takes it, what does not, and why', async () => {
  const { code, text, asked } = await cli('routes --explain get http://a.test/api', explanation);
  expect(code).toBe(0);
  expect(asked).toEqual(['GET /v1/routes/explain?method=GET&url=http%3A%2F%2Fa.test%2Fapi -']);
  expect(text.split('\n')).toEqual([
    'GET a.test/api at 0.0.0.0:80',
    '  a.test/api → api',
    '    because: the host a.test, and the longest path of it: /api',
    '    then: goes to api',
    '  not taken',
    '    a.test/ → site: /api is longer',
    '  2 other routes, for other hosts or listeners',
  ]);
});

test('a request that would be refused is exit code 1, and a URL alone is GET', async () => {
  const refused = { ...explanation, route: null, refusal: 'NO_ROUTE', others: [], then: [] };
  const { code, text, asked } = await cli('routes --explain http://a.test/x', refused);
  expect(code).toBe(1);
  expect(text).toContain('NO_ROUTE');
  expect(asked[0]).toContain('method=GET');
});

test('a URL without a host is told in the first line too', async () => {
  const unread = {
    ...explanation,
    host: '',
    path: '/x',
    listener: null,
    route: null,
    refusal: 'BAD_REQUEST',
    then: [],
  };
  expect((await cli('routes --explain GET /x', unread)).text.split('\n')[0]).toBe('GET /x');
});

test.each(['routes --explain', 'routes GET', 'routes --explain GET http://a/ --host a'])(
  '%s is wrong usage',
  async (line) => {
    expect((await cli(line, [])).code).toBe(2);
  },
);

test('endpoints are a table with the reason why one is out of use', async () => {
  const common = { alsoListedBy: [], backup: false, maxConnections: 0, inFlight: 0, weight: 1 };
  const own = {
    ...common,
    address: '127.0.0.1:3000',
    source: 'pilotlight',
    replica: 'shop-1',
    state: 'in-use',
    reason: null,
  };
  const other = {
    ...common,
    address: '10.0.0.5:80',
    source: 'static',
    replica: null,
    state: 'out-of-use',
    reason: 'ejected',
  };
  const { text, asked } = await cli('endpoints shop', [
    { ...own, inFlight: 3 },
    { ...other, backup: true, alsoListedBy: ['consul'] },
  ]);
  expect(asked).toEqual(['GET /v1/services/shop/endpoints -']);
  expect(text.split('\n')[1]).toMatch(/^127\.0\.0\.1:3000 +pilotlight \(shop-1\) +in use +1 +– +3$/);
  expect(text.split('\n')[2]).toMatch(/^10\.0\.0\.5:80 +static, consul +out of use: ejected +1 \(backup\) +– +0$/);
});

test('a service that is nowhere says so', async () => {
  expect((await cli('endpoints shop', [])).text).toBe('shop has no endpoint at present');
});
