// biome-ignore-all lint/suspicious/noTemplateCurlyInString: substitutions are part of what is tested
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readHostPort } from '../../../src/config/schema/addresses.ts';
import { readPathPrefix } from '../../../src/config/schema/routes.ts';
import { hostPort } from '../../../src/util/host-port.ts';
import { aroundService, parse, problemsOf, settingsOf } from '../parse.ts';

const run = 'routes: [{}]\nrun: { docker: { image: a, port: 80 } }';

test('a duration is its number times its unit, in milliseconds', () => {
  const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), fc.constantFrom(...Object.entries(units)), (number, [unit, ms]) => {
      const settings = settingsOf(aroundService(`${run}\ntimeouts: { tunnel: ${number}${unit} }`));
      expect(settings.services[0]?.timeouts.tunnelMs).toBe(number * ms);
    }),
    { numRuns: 40 },
  );
});

test('a size is its number times its unit, in bytes', () => {
  const units = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, KB: 1e3, MB: 1e6, GB: 1e9 };
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 999 }),
      fc.constantFrom(...Object.entries(units)),
      (number, [unit, bytes]) => {
        const settings = settingsOf(aroundService(`${run}\nhold: { maxBytes: ${number}${unit} }`));
        expect(settings.services[0]?.hold.maxBytes).toBe(number * bytes);
      },
    ),
    { numRuns: 40 },
  );
});

test('the budget of memory is a share of what the host has, or a size', () => {
  const budget = (memory: string) => `${aroundService(run)}budget: { memory: ${memory} }\n`;
  const memoryOf = (memory: string) => settingsOf(budget(memory)).budget.memory;
  expect(memoryOf('75.5%')).toEqual({ share: 0.755 });
  expect(memoryOf('100%')).toEqual({ share: 1 });
  expect(memoryOf('12GiB')).toEqual({ bytes: 12 * 2 ** 30 });
  for (const [wrong, says] of Object.entries({
    '0%': 'expected a share above 0% and at most 100%, such as 80%, or a size such as 12GiB',
    '101%': 'expected a share above 0% and at most 100%',
    '80': 'its unit is missing (%, B, KiB, MiB, GiB, KB, MB, GB)',
    '0GiB': 'expected a share',
    auto: 'expected a share',
  }))
    expect(problemsOf(budget(wrong)).join()).toContain(says);
});

test('an address comes back as it was written', () => {
  const host = fc.oneof(
    fc.ipV4(),
    fc.domain().map((name) => name.toLowerCase()),
    fc.constantFrom('::1', 'fd00::5'),
  );
  fc.assert(
    fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
      const address = { host: name, port };
      expect(readHostPort(hostPort(address), 1)).toEqual({ value: address });
    }),
  );
});

test('a path prefix is a fixed point: reading it again changes nothing', () => {
  fc.assert(
    fc.property(fc.webPath(), (path) => {
      const reading = readPathPrefix(path);
      if (reading === undefined || !('value' in reading)) return;
      expect(readPathPrefix(reading.value)).toEqual(reading);
      expect(reading.value === '/' || !reading.value.endsWith('/')).toBe(true);
    }),
  );
});

test('no text makes the reader fail: it is right or it is a list of problems', () => {
  const yamlish = fc.array(
    fc.constantFrom(
      'listen',
      'services',
      ':',
      ' ',
      '\n',
      '- ',
      '[',
      '{',
      '}',
      ']',
      '"',
      '&a',
      '*a',
      '${A}',
      '8080',
      '!!int',
      '#',
      '|',
      '?',
      '\t',
      'null',
      '<<',
    ),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        yamlish.map((parts) => parts.join('')),
      ),
      (text) => {
        const result = parse(text, { A: 'a' });
        if (result.ok) return;
        expect(result.problems.length).toBeGreaterThan(0);
        for (const { line, column, message } of result.problems) {
          expect(line).toBeGreaterThan(0);
          expect(column).toBeGreaterThan(0);
          expect(message).not.toContain('\n');
        }
      },
    ),
    { numRuns: 500 },
  );
});
