// biome-ignore-all lint/suspicious/noTemplateCurlyInString: substitutions are part of what is tested
import { expect, test } from 'vitest';
import { aroundFile, aroundService, parse } from '../parse.ts';

const SECRET = 'hunter2';

/** Wrong files with a secret in them. */
test.each([
  ['a token that no header can carry', aroundFile(`admin: { token: "${SECRET} ä" }`)],
  ['a token for Consul that no header can carry', aroundFile(`consul: { token: "${SECRET} x" }`)],
  ['credentials in the address of Consul', aroundFile(`consul: { address: "http://user:${SECRET}@c:8500" }`)],
  ['a token that is a mapping', aroundFile(`admin: { token: { value: ${SECRET} } }`)],
  ['a token in place of the section', aroundFile(`admin: ${SECRET}`)],
  ['variables as a list', aroundService(`routes: [{}]\nrun: { docker: { image: a, port: 1, env: ["A=${SECRET}"] } }`)],
  ['variables as a text', aroundService(`routes: [{}]\nrun: { docker: { image: a, port: 1, env: "A=${SECRET}" } }`)],
  [
    'a variable that is a list',
    aroundService(`routes: [{}]\nrun: { docker: { image: a, port: 1, env: { A: [${SECRET}] } } }`),
  ],
  [
    'a process with no port but a secret',
    aroundService(`routes: [{}]\nrun: { process: { command: [a], env: { A: ${SECRET} } } }`),
  ],
  ['an open quote', aroundFile(`admin: { token: "${SECRET} }`)],
  ['rubbish after a value', aroundFile(`admin:\n  token: "a" ${SECRET}`)],
  ['rubbish after a block scalar', aroundFile(`admin:\n  token: | ${SECRET}`)],
  ['an unknown escape', aroundFile(`admin:\n  token: "\\q${SECRET}"`)],
  ['an alias for a token', aroundFile(`admin: { token: *${SECRET} }`)],
])('a message never holds a secret: %s', (_name, text) => {
  const result = parse(text);
  expect(result.ok).toBe(false);
  expect(JSON.stringify(result)).not.toContain(SECRET);
});

test.each([
  ['the admin address', 'admin: { address: ${S} }'],
  ['a number', 'budget: { replicas: ${S} }'],
  ['a choice', 'docker: { reach: ${S} }'],
  ['the address of Consul', 'consul: { address: "ftp://${S}" }'],
])('a value that came from a variable is not shown: %s', (_name, keys) => {
  const result = parse(aroundFile(keys), { S: SECRET });
  expect(result.ok).toBe(false);
  expect(JSON.stringify(result)).not.toContain(SECRET);
});

test('a variable of the environment is not shown either', () => {
  for (const variable of ['CONSUL_HTTP_ADDR', 'DOCKER_HOST']) {
    const result = parse(aroundFile('consul: {}\ndocker: {}'), { [variable]: `ftp://${SECRET}` });
    expect(JSON.stringify(result)).toContain(`${variable}: expected`);
    expect(JSON.stringify(result)).not.toContain(SECRET);
  }
});
