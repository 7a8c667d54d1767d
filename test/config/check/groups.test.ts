import { expect, test } from 'vitest';
import { problemsOf, settingsOf } from '../parse.ts';

const file = (services: string) => `listen: [{ address: "127.0.0.1:8080" }]\nservices:\n${services}`;
const run = 'run: { docker: { container: NAME, port: 80 } }';
const line = (name: string, more: string) => `  ${name}: { ${run.replace('NAME', name)}, ${more} }\n`;

test('a service without routes belongs to its group alone, and is ready when it accepts', () => {
  const text = file(line('web', 'routes: [{ path: / }], group: shop, after: [db]') + line('db', 'group: shop'));
  const [web, db] = settingsOf(text).services;
  expect(web).toMatchObject({ group: 'shop', after: ['db'] });
  expect(db).toMatchObject({ group: 'shop', isTcp: true, ready: { kind: 'tcp' }, routes: [] });
});

test.each([
  ['one that is not there', line('web', 'routes: [{ path: / }], group: g, after: [dd]'), 'no service is called "dd"'],
  [
    'one of another group',
    line('web', 'routes: [{ path: / }], group: g, after: [db]') + line('db', 'group: h'),
    'db is not in the group g',
  ],
  [
    'each other',
    line('web', 'routes: [{ path: / }], group: g, after: [db]') + line('db', 'group: g, after: [web]'),
    'db starts after web already',
  ],
  ['nobody without a group', line('web', 'routes: [{ path: / }], after: [web]'), 'needs group'],
  [
    'what others run',
    '  web: { routes: [{ path: / }], endpoints: { static: ["10.0.0.1:80"] }, group: g }\n',
    'needs run',
  ],
])('a service cannot wait for %s', (_, services, message) => {
  expect(problemsOf(file(services)).join('\n')).toContain(message);
});
