import { expect, test } from 'vitest';
import type { Declaration } from '../../../src/model/declarations.ts';
import { settingsOf } from '../parse.ts';
import { container, declaringFile, merged } from './declarations.ts';

const file = declaringFile();
const shop = (route: string, more: Partial<Declaration> = {}, name = 'shop') =>
  container(name, { 'pilotlight.route': route }, more);

test('declared services stand behind those of the file, the file itself where nothing is declared', () => {
  const own = declaringFile(
    'declare: { docker: true }',
    'services: { blog: { routes: [{ path: / }], endpoints: { static: ["10.0.0.1:80"] } } }',
  );
  expect(merged(own, []).settings).toBe(own);
  const { settings, standing } = merged(own, [shop('shop.example')]);
  expect(settings.services.map(({ name }) => name)).toEqual(['blog', 'shop']);
  expect(standing).toEqual([
    { source: 'docker', title: 'container shop', service: 'shop', state: 'in force', problems: [], remarks: [] },
  ]);
});

test('the older of two that want the same route has it, and the other is kept out as a whole', () => {
  const younger = container('b', { 'pilotlight.route': 'x.example', 'pilotlight.route.2': 'y.example' }, { since: 2 });
  const { settings, standing } = merged(file, [younger, shop('x.example/', { since: 1 }, 'a')]);
  expect(settings.services.map(({ name }) => name)).toEqual(['a']);
  expect(standing[1]).toMatchObject({ state: 'conflict', problems: ['x.example/ belongs to container a'] });
});

test("a host of the file is the file's with all its paths, unless it is named as one that may be declared", () => {
  const services =
    'services: { bank: { routes: [{ host: "*.bank.example" }], endpoints: { static: ["10.0.0.1:80"] } } }';
  const closed = merged(declaringFile('declare: { docker: true }', services), [shop('www.bank.example/login')]);
  expect(closed.standing[0]?.state).toBe('conflict');
  expect(closed.standing[0]?.problems[0]).toContain("the host *.bank.example is the file's");
  const open = declaringFile('declare: { docker: { allow: { hosts: ["*.bank.example"] } } }', services);
  expect(merged(open, [shop('www.bank.example/login')]).standing[0]?.state).toBe('in force');
});

test('names and containers of the file are not to be had', () => {
  const services =
    'services: { shop: { routes: [{ host: a.example }], endpoints: { static: ["10.0.0.1:80"] } }, other: { routes: [{ host: c.example }], run: { docker: { container: held, port: 80 } } } }';
  const own = declaringFile('declare: { docker: true }', services);
  expect(merged(own, [shop('b.example')]).standing[0]?.problems).toEqual([
    'the name shop belongs to service shop of the file',
  ]);
  expect(merged(own, [shop('b.example', {}, 'held')]).standing[0]?.problems).toEqual([
    'the container held belongs to service other of the file',
  ]);
});

test('one that gets wrong holds as it was until it is right again', () => {
  const before = merged(file, [shop('a.example')]);
  const wrong = container('shop', { 'pilotlight.route': 'b.example', 'pilotlight.scale.idle': 'soon' });
  const { settings, standing } = merged(file, [wrong], before.right);
  expect(settings.services[0]?.routes[0]?.host).toBe('a.example');
  expect(standing[0]?.state).toBe('former');
  expect(merged(file, [wrong]).standing[0]?.state).toBe('refused');
});

test('what the file does not allow any more holds no longer, though it was right before', () => {
  const before = merged(file, [shop('a.example')]);
  const stricter = declaringFile('declare: { docker: { allow: { hosts: [b.example] } } }');
  const now = merged(stricter, [shop('a.example')], before.right);
  expect(now.standing[0]?.state).toBe('refused');
  expect(now.settings.services).toEqual([]);
  const wrong = container('shop', { 'pilotlight.route': 'a.example', 'pilotlight.scale.idle': 'soon' });
  const stillWrong = merged(stricter, [wrong], merged(file, [wrong], before.right).right);
  expect(stillWrong.standing[0]?.state).toBe('refused');
  expect(merged(file, [wrong], stillWrong.right).standing[0]?.state).toBe('former');
});

test('more than declare.maxServices are told of and not taken, the youngest first', () => {
  const own = declaringFile('declare: { docker: true, maxServices: 2 }');
  const three = [3, 1, 2].map((age) => shop(`${age}.example.com`, { since: age }, `s${age}`));
  const { settings, standing } = merged(own, three);
  expect(settings.services.map(({ name }) => name)).toEqual(['s1', 's2']);
  expect(standing[2]).toMatchObject({ service: 's3', state: 'over budget' });
});

test('certificates are ordered for declared hosts only where the operator named them', () => {
  const listen =
    'listen: [{ name: web, address: "127.0.0.1:8443", tls: { acme: { directory: "https://ca.example/d" } } }]';
  const hostsOf = (declare: string) => {
    const own = declaringFileWith(listen, declare);
    return merged(own, [shop('shop.example.com')]).settings.listen[0]?.tls?.acme?.hosts;
  };
  expect(hostsOf('declare: { docker: true }')).toEqual(['own.example.com']);
  expect(hostsOf('declare: { docker: { allow: { hosts: [shop.example.com] } } }')).toEqual([
    'own.example.com',
    'shop.example.com',
  ]);
});

function declaringFileWith(listen: string, declare: string) {
  const services = 'services: { own: { routes: [{ host: own.example.com }], endpoints: { static: ["10.0.0.1:80"] } } }';
  return settingsOf(`${listen}\n${declare}\n${services}\n`);
}
