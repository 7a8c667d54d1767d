import { describe, expect, test } from 'vitest';
import type { ConsulService } from '../../../src/discovery/consul/settings.ts';
import { aroundFile, aroundService, marked, problemsOf, settingsOf } from '../parse.ts';

/** What is written, with `§` where the problem is; then what is said of it. */
type Case = [written: string, problem: string];

const found = 'endpoints: { static: ["x:1"] }';
const route = (written: string) => `${found}\nroutes:\n  - ${written}`;
const service = (keys: string) => `routes: [{ path: / }]\n${found}\n${keys}`;
const run = (command: string) => `routes: [{ path: / }]\nrun: { process: { command: ${command} } }`;
const host = 'services.app.routes[0].host: ';

describe('a value that YAML takes for something else is told how to be written:', () => {
  test.each<Case>([
    [route('host: §&x.example.com'), `${host}"&" begins an anchor in YAML; put the value in quotes: "&x.example.com"`],
    [
      route('{ host: §&x.example.com, path: / }'),
      `${host}"&" begins an anchor in YAML; put the value in quotes: "&x.example.com"`,
    ],
    [
      route('path: §&all'),
      'services.app.routes[0].path: "&" begins an anchor in YAML; put the value in quotes: "&all"',
    ],
    [route('§host: # x.example.com'), `${host}nothing stands here: for any host, leave the key out`],
    [
      route('{ path: /, §allow: }'),
      'services.app.routes[0].allow: nothing stands here: for everybody, leave the key out',
    ],
    [
      route('{ path: /, §basicAuth: ~ }'),
      'services.app.routes[0].basicAuth: nothing stands here: for everybody, leave the key out',
    ],
    [route('host: §!'), `${host}"!" begins a tag in YAML; put the value in quotes: "!"`],
    [route('host: §!!str'), `${host}"!" begins a tag in YAML; put the value in quotes: "!!str"`],
    [route('host: §!x.example.com'), 'YAML: "!" begins a tag in YAML; put the value in quotes: "!…"'],
    [
      route('host: §*.example.com'),
      `${host}"*" begins an alias in YAML, and no anchor has this name; put the value in quotes: "*.example.com"`,
    ],
    [
      service('wake: [{ userAgent: §*bot*, then: deny }]'),
      'services.app.wake[0].userAgent: "*" begins an alias in YAML, and no anchor has this name; put the value in quotes: "*bot*"',
    ],
    [route('host: §*'), 'YAML: "*" begins an alias in YAML; put the value in quotes: "*"'],
    [
      `${service('')}wake: [{ path: /x, then: deny, §*y : 1 }]`,
      'YAML: "*" begins an alias in YAML; put the value in quotes: "*…"',
    ],
    [`${service('')}headers: { &x§: 1 }`, 'YAML: "&" begins an anchor in YAML; put the value in quotes: "&…"'],
    [route('host: §@x'), 'YAML: a value may not begin with @; put it in quotes: "@…"'],
    [route('host: §%x'), 'YAML: a value may not begin with %; put it in quotes: "%…"'],
    [route('host: §`x`'), 'YAML: a value may not begin with `; put it in quotes: "`…"'],
    [route('host: {§{ host }}'), 'YAML: "{{" begins two mappings; put the value in quotes: "{{…}}"'],
    [
      run('[node, §{port}]'),
      'services.app.run.process.command[1]: expected a text, found a mapping: put a text with braces in quotes: "{port}"',
    ],
    [
      'routes: [{ path: / }]\nrun: { process: { command: [node], env: { §PORT: {port} } } }',
      'services.app.run.process.env.PORT: expected a text, found a mapping: put a text with braces in quotes',
    ],
    [
      'routes: [{ path: / }]\nendpoints: §&none',
      'services.app.endpoints: "&" begins an anchor in YAML; put the value in quotes',
    ],
  ])('%s', (written, problem) => {
    const { text, place } = marked(aroundService(written));
    expect(problemsOf(text)).toEqual([`${place}  ${problem}`]);
    // The same under Windows, which ends lines otherwise and may begin the file with a mark.
    expect(problemsOf(`\uFEFF${text.replaceAll('\n', '\r\n')}`)).toEqual([`${place}  ${problem}`]);
  });

  test('a secret is not shown', () => {
    for (const token of ['&hunter2', '*hunter2', '!hunter2', '@hunter2', '{hunter2}', '!']) {
      const problems = problemsOf(aroundFile(`admin: { token: ${token} }`));
      expect(problems).toHaveLength(1);
      expect(problems[0]).not.toContain('hunter2');
    }
    expect(problemsOf(aroundFile('x-secrets: { a: &hunter2 }'))[0]).not.toContain('hunter2');
  });
});

describe('what people get wrong is told with how to write it:', () => {
  test.each<Case>([
    [
      'scale: { idle: §30 }',
      'scale.idle: expected a duration such as 0s or 5m, or auto, or never, found "30": its unit is missing (ms, s, m, h, d)',
    ],
    [
      'timeouts: { connect: §1m30s }',
      'timeouts.connect: expected a duration such as 250ms or 5s, found "1m30s": one number and one unit (ms, s, m, h, d)',
    ],
    [
      'timeouts: { connect: §30sec }',
      'timeouts.connect: expected a duration such as 250ms or 5s, found "30sec": one number and one unit (ms, s, m, h, d)',
    ],
    [
      'hold: { maxBytes: §16M }',
      'hold.maxBytes: expected a size such as 16KiB or 256MiB, found "16M": one number and one unit (B, KiB, MiB, GiB, KB, MB, GB)',
    ],
    ['hold: { page: §false }', 'hold.page: expected auto or off, found "false": write off'],
    ['allowHalfOpen: §on', 'allowHalfOpen: expected true or false, found "on": write true'],
    ['allowHalfOpen: §no', 'allowHalfOpen: expected true or false, found "no": write false'],
    [
      'hold: { max: §0100 }',
      'hold.max: expected a whole number from 1 to 10000000, found "0100": write it without the zero in front',
    ],
    ['hold: { max: §0x10 }', 'hold.max: expected a whole number from 1 to 10000000, found "0x10"'],
    ['hold: §[max]', 'hold: expected a mapping, found a list: write "key: value" without "- "'],
    ['hold: §max:5', 'hold: expected a mapping, found text: a space belongs behind "max:"'],
    ['§wake: { path: / }', 'wake: expected a list, found a mapping: put "- " before each item'],
    ['wake: §deny', 'wake: expected a list, found text: put it in brackets, as in [a, b]'],
  ])('%s', (written, problem) => {
    const { text, place } = marked(aroundService(service(written.replace(/^(hold): §\[/, '§$1: ['))));
    expect(problemsOf(text)).toEqual([`${place}  services.app.${problem}`]);
  });

  test.each<Case>([
    ['§\thold: { max: 1 }', 'YAML: tabs are not allowed as indentation; use spaces'],
    ['§hold', 'YAML: expected "key: value"; is a colon or the space behind it missing?'],
    ['upstreamHost: "x\n§', 'YAML: a " before here is not closed'],
  ])('%s', (written, problem) => {
    const { text, place } = marked(
      `${aroundService(service('')).trimEnd()}\n${written.startsWith('§\t') ? '' : '    '}${written}`,
    );
    expect(problemsOf(text)[0]).toBe(`${place}  ${problem}`);
  });

  test('an address without quotes in braces', () => {
    expect(problemsOf('listen: [{ address: [::1]:8080 }]')[0]).toBe(
      '1:26  YAML: missing , between flow map items; a value with brackets, braces, commas or ": " in it goes in quotes',
    );
  });

  test('a bracket that is not closed', () => {
    expect(problemsOf('listen: [{ address: "a:1" }\nservices: {}\n')[0]).toContain(
      'YAML: a bracket or brace before here is not closed: expected ]',
    );
  });
});

describe('anchors', () => {
  const web = 'x-web: &web\n  scale: { idle: 10m, max: 2 }\n  hold: { page: off, max: 7 }\n';
  const runs = 'run: { process: { command: [node, "{port}"] } }';
  const file = (services: string, anchors = web) =>
    `${anchors}listen: [{ address: "127.0.0.1:8080" }]\nservices:\n${services}\n`;
  const serviceOf = (text: string, name: string) => settingsOf(text).services.find((each) => each.name === name);

  test('merge keys add what is not there, wherever they stand; words stay words', () => {
    const text = file(
      `  a: { <<: *web, routes: [{ host: a.example }], ${runs} }\n` +
        `  b:\n    scale: { max: 5 }\n    <<: *web\n    routes: [{ host: b.example }]\n    ${runs}`,
    );
    expect(serviceOf(text, 'a')).toMatchObject({ scale: { idleMs: 600_000, max: 2 }, hold: { page: 'off', max: 7 } });
    // One level deep, as YAML has it.
    expect(serviceOf(text, 'b')).toMatchObject({ scale: { idleMs: 'auto', max: 5 }, hold: { page: 'off', max: 7 } });
  });

  test('a list of merges, of which the earlier ones hold; merges within what is merged', () => {
    const anchors = `${web}x-slow: &slow { <<: *web, timeouts: { drain: 3s }, hold: { page: auto } }\nx-rare: &rare { scale: { idle: 1s } }\n`;
    const text = file(`  a: { <<: [*rare, *slow], routes: [{ host: a.example }], ${runs} }`, anchors);
    expect(serviceOf(text, 'a')).toMatchObject({
      scale: { idleMs: 1000 },
      hold: { page: 'auto', max: 1000 },
      timeouts: { drainMs: 3000 },
    });
  });

  test('a mapping that stands there itself is merged, too; "<<" in quotes is a key', () => {
    expect(serviceOf(file(`  a: { <<: { hold: { max: 3 } }, routes: [{ host: a }], ${runs} }`), 'a')?.hold.max).toBe(3);
    expect(problemsOf(file(`  a: { "<<": *web, routes: [{ host: a }], ${runs} }`))[0]).toContain('unknown key');
  });

  test('aliases of whole lists, and anchors in defaults', () => {
    const text =
      'defaults: { hold: &hold { max: 9 } }\nlisten: [{ address: "127.0.0.1:8080" }]\nservices:\n' +
      `  a: { routes: [{ host: a }], ${runs}, wake: &wake [{ path: /healthz, then: deny }] }\n` +
      `  b: { routes: [{ host: b }], ${runs}, wake: *wake, hold: { <<: *hold, page: off } }\n`;
    const { services } = settingsOf(text);
    expect(services[1]?.wake).toEqual(services[0]?.wake);
    expect(services[1]?.hold).toMatchObject({ max: 9, page: 'off' });
  });

  test('what is wrong in an anchor is told where it stands, for the key that uses it', () => {
    const { text, place } = marked(
      file(`  a: { <<: *web, routes: [{ host: a }], ${runs} }`, 'x-web: &web\n  scale: { idle: §10 }\n'),
    );
    expect(problemsOf(text)).toEqual([
      `${place}  services.a.scale.idle: expected a duration such as 0s or 5m, or auto, or never, found "10": its unit is missing (ms, s, m, h, d)`,
    ]);
    const unknown = marked(
      file(`  a: { <<: *web, routes: [{ host: a }], ${runs} }`, 'x-web: &web\n  §holds: { max: 1 }\n'),
    );
    expect(problemsOf(unknown.text)).toEqual([
      `${unknown.place}  services.a.holds: unknown key (did you mean "hold"?)`,
    ]);
  });

  test.each([
    ['of no anchor', 'x-web: 1\n', '*web', '"*" begins an alias in YAML, and no anchor has this name'],
    ['of a text', 'x-web: &web word\n', '*web', '"<<" takes a mapping, such as *web where &web names one, or a list'],
    ['of nothing', '', '', '"<<" takes a mapping'],
    ['of itself', 'x-web: &web { a: { <<: *web } }\n', '*web', 'an anchor may not contain itself'],
  ])('a merge %s is refused', (_, anchors, merged, problem) => {
    const text = file(`  a: { <<: ${merged}, routes: [{ host: a }], ${runs} }`, anchors);
    expect(problemsOf(text).join('\n')).toContain(problem);
  });

  test('merges that repeat each other are refused before they take long', () => {
    const lines = ['x-0: &m0 { hold: { max: 1 } }'];
    for (let i = 1; i < 30; i++)
      lines.push(
        `x-${i}: &m${i} { <<: [${Array(10)
          .fill(`*m${i - 1}`)
          .join(', ')}] }`,
      );
    const problems = problemsOf(file(`  a: { <<: *m29, routes: [{ host: a }], ${runs} }`, `${lines.join('\n')}\n`));
    expect(problems.filter((problem) => problem.endsWith('aliases repeat too much'))).toHaveLength(1);
  });

  test('a thousand services share an anchor', () => {
    const services = Array.from(
      { length: 1000 },
      (_, i) => `  s${i}: { <<: *web, routes: [{ host: s${i} }], ${runs} }`,
    );
    expect(settingsOf(file(services.join('\n'))).services.at(-1)?.hold.max).toBe(7);
  });
});

describe('what cannot be said of Consul is told with what there is:', () => {
  test.each([
    ['datacenter: dc2', 'datacenters are written as a list: datacenters: [dc1, dc2]'],
    ['dc: dc2', 'datacenters are written as a list: datacenters: [dc1, dc2]'],
    ['ns: team', 'it is written namespace'],
    ['meta: { v: 2 }', 'metadata is chosen by an expression: filter: Service.Meta.version == "2"'],
    ['query: nearest', 'prepared queries are not supported: name the service itself'],
    ['register: true', 'stands beside endpoints, at the service itself'],
  ])('%s', (key, problem) => {
    const written = `routes: [{ path: / }]\nendpoints: { consul: { service: shop, §${key} } }`;
    const { text, place } = marked(aroundService(written));
    const name = key.slice(0, key.indexOf(':'));
    expect(problemsOf(text)).toEqual([`${place}  services.app.endpoints.consul.${name}: unknown key: ${problem}`]);
  });

  test('tags in one text', () => {
    const { text, place } = marked(
      aroundService('routes: [{ path: / }]\nendpoints: { consul: { service: shop, tag: §"live,public" } }'),
    );
    expect(problemsOf(text)).toEqual([
      `${place}  services.app.endpoints.consul.tag: a comma divides nothing: write a list, as in tag: [live, public]`,
    ]);
  });

  test('a tag, and a list of them', () => {
    const tagsOf = (tag: string) => {
      const keys = `routes: [{ path: / }]\nendpoints: { consul: { service: shop, tag: ${tag} } }`;
      const { services } = settingsOf(aroundService(keys));
      const followed = services[0]?.endpoints['consul'] as ConsulService | undefined;
      return followed?.tags;
    };
    expect(tagsOf('live')).toEqual(['live']);
    expect(tagsOf('[live, public]')).toEqual(['live', 'public']);
    expect(tagsOf('["a,b"]')).toEqual(['a,b']);
    expect(tagsOf('')).toBeUndefined();
    expect(() => tagsOf('[]')).toThrow('tag: is an empty list: write one as in tag: [live, public]');
  });
});
