import { describe, expect, test } from 'vitest';
import { container, declaringFile, merged } from './declarations.ts';

const file = declaringFile();
const problemsOf = (labels: Record<string, string>, from = file) =>
  merged(from, [container('shop', labels)]).standing[0]?.problems;
const serviceOf = (labels: Record<string, string>) => merged(file, [container('shop', labels)]).settings.services[0];

describe('labels of a container', () => {
  test('name routes, the port and any option by its path', () => {
    const service = serviceOf({
      'pilotlight.enable': 'true',
      'pilotlight.route': 'Shop.example.com/api',
      'pilotlight.route.strip': 'true',
      'pilotlight.route.3': '*.shop.example.com',
      'pilotlight.port': '8080',
      'pilotlight.scale.idle': '10m',
      'pilotlight.wake.0.path': '/healthz',
      'pilotlight.wake.0.then': 'answer',
      'pilotlight.ready.path': '/ready',
      'com.example.other': 'left alone',
    });
    expect(service?.name).toBe('shop');
    expect(service?.routes.map(({ host, path, rules }) => [host, path, rules?.strip])).toEqual([
      ['shop.example.com', '/api', true],
      ['*.shop.example.com', '/', undefined],
    ]);
    expect(service?.run).toMatchObject({ kind: 'docker-container', container: 'shop', port: 8080 });
    expect(service?.scale).toMatchObject({ idleMs: 600_000, max: 1 });
    expect(service?.wake).toMatchObject([{ path: '/healthz', then: 'answer' }]);
    expect(service?.ready).toMatchObject({ path: '/ready' });
  });

  test('the only port that is exposed needs no label', () => {
    expect(serviceOf({ 'pilotlight.route': 'a.example' })?.run).toMatchObject({ port: 3000 });
  });

  test('all that is wrong is said at once', () => {
    const labels = { 'pilotlight.route': 'a.example', 'pilotlight.prot': '80', 'pilotlight.scale.idle': 'soon' };
    expect(merged(file, [container('shop', labels, { ports: [] })]).standing[0]?.problems).toEqual([
      expect.stringContaining('label pilotlight.prot: unknown option "prot"'),
      'label pilotlight.port: expected the port that it listens on; none is exposed',
      expect.stringMatching(/^label pilotlight.scale.idle: expected .*duration/),
    ]);
  });

  test('of several exposed ports, or none, one has to be named', () => {
    const labels = { 'pilotlight.route': 'a.example' };
    const several = merged(file, [container('shop', labels, { ports: [80, 443] })]).standing[0]?.problems;
    expect(several).toEqual(['label pilotlight.port: expected the port that it listens on; 80, 443 are exposed']);
    const none = merged(file, [container('shop', labels, { ports: [] })]).standing[0]?.problems;
    expect(none).toEqual(['label pilotlight.port: expected the port that it listens on; none is exposed']);
  });

  test('declare nothing with enable=false, and nothing where there are none', () => {
    for (const labels of [{ 'pilotlight.enable': 'false', 'pilotlight.route': 'a.example' }, { traefik: 'x' }]) {
      expect(merged(file, [container('shop', labels as Record<string, string>)]).standing).toEqual([]);
    }
  });

  test('take defaults of the file, and not its variables', () => {
    const own = declaringFile('declare: { docker: true }\ndefaults: { scale: { idle: 7m } }');
    const { settings } = merged(own, [
      container('shop', { 'pilotlight.route': 'a.example', 'pilotlight.via': '$HOME' }),
    ]);
    expect(settings.services[0]).toMatchObject({ via: '$HOME', scale: { idleMs: 420_000 } });
  });

  test.each([
    ['pilotlight.scale.idel', '1m', 'label pilotlight.scale.idel: unknown option "idel" (did you mean "idle"?)'],
    ['pilotlight.scale.idle', 'soon', 'expected auto, never or a duration'],
    ['pilotlight.scale.idle', '', 'label pilotlight.scale.idle: expected a value, found nothing'],
    ['pilotlight.enable', 'yes', 'label pilotlight.enable: expected true or false, found "yes"'],
    ['pilotlight.port', '99999', 'label pilotlight.port: expected a whole number from 1 to 65535, found "99999"'],
    ['pilotlight.route.2', 'shop.example/a?b', 'label pilotlight.route.2: a path only: no "?" and no "#"'],
    ['pilotlight.name', 'No Name', 'label pilotlight.name: a service name is a-z, 0-9'],
    ['pilotlight.scale', '5', 'label pilotlight.scale: expected a mapping, found text'],
    ['pilotlight.constructor', 'x', 'label pilotlight.constructor: unknown option "constructor"'],
    ['pilotlight.__proto__.x', 'x', 'label pilotlight.__proto__.x: unknown option "__proto__"'],
    ['pilotlight.wake.999.path', '/', 'label pilotlight.wake.999.path: expected at most 100 items'],
  ])('that are wrong are told by name: %s=%j', (label, value, message) => {
    const [problem] = problemsOf({ 'pilotlight.route': 'a.example', [label]: value }) ?? [];
    if (label === 'pilotlight.scale.idle' && value === 'soon')
      expect(problem).toMatch(/^label pilotlight\.scale\.idle: .*"soon"/);
    else expect(problem?.startsWith(message), problem).toBe(true);
  });

  test.each([
    'run.docker.image',
    'run.docker.volumes',
    'run.process.command',
    'run.docker.stop.signal',
    'endpoints.static',
    'endpoints.consul.service',
    'upstream.tls.ca',
    'upstream.tls.cert',
    'upstream.tls.key',
  ])('may never set what runs something, reads files or says where it is: %s', (option) => {
    const label = `pilotlight.${option}`;
    const expected = 'expected an option that may be declared; this one may only be set in the file';
    expect(problemsOf({ 'pilotlight.route': 'a.example', [label]: '/etc/passwd' })).toEqual([
      `label ${label}: ${expected}`,
    ]);
  });

  test('are bounded in number and length', () => {
    const many = Object.fromEntries(
      Array.from({ length: 201 }, (_, index) => [`pilotlight.route.${index + 1}`, 'a.b']),
    );
    expect(problemsOf(many)).toContain('expected at most 200 labels, found 201');
    const long = problemsOf({ 'pilotlight.route': 'a.b', 'pilotlight.via': 'x'.repeat(5000) });
    expect(long).toContain('label pilotlight.via: expected at most 4096 characters');
  });
});

describe('what may be declared', () => {
  test('are the hosts that declare.allow names, and none without a host then', () => {
    const own = declaringFile('declare: { docker: true, allow: { hosts: ["*.apps.example"] } }');
    expect(problemsOf({ 'pilotlight.route': 'shop.apps.example/x' }, own)).toEqual([]);
    expect(problemsOf({ 'pilotlight.route': 'bank.example' }, own)).toEqual([
      'label pilotlight.route: expected a host that declare.allow.hosts names (*.apps.example), found bank.example',
    ]);
    expect(problemsOf({ 'pilotlight.route': '/' }, own)?.[0]).toContain('found any host');
  });

  test('are the options that declare.allow names; routes and port need no leave', () => {
    const own = declaringFile('declare: { docker: true, allow: { options: [scale] } }');
    const labels = { 'pilotlight.route': 'a.example', 'pilotlight.port': '80', 'pilotlight.scale.idle': '1m' };
    expect(problemsOf(labels, own)).toEqual([]);
    expect(problemsOf({ ...labels, 'pilotlight.route.strip': 'true' }, own)?.[0]).toBe(
      'label pilotlight.route.strip: expected an option that declare.allow.options names; routes.strip is none of them',
    );
  });

  test('is said by the source itself in place of all', () => {
    const own = declaringFile('declare: { docker: { allow: { hosts: [b.example] } }, allow: { hosts: [a.example] } }');
    expect(problemsOf({ 'pilotlight.route': 'b.example' }, own)).toEqual([]);
    expect(problemsOf({ 'pilotlight.route': 'a.example' }, own)).toHaveLength(1);
  });

  test('is said only by containers in one of the networks', () => {
    const own = declaringFile('declare: { docker: [web] }');
    expect(problemsOf({ 'pilotlight.route': 'a.example' }, own)).toEqual([
      'expected to be in one of the networks web (declare), found bridge',
    ]);
  });
});
