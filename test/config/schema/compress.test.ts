import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { CompressSettings } from '../../../src/model/compress-settings.ts';
import { aroundService, problemsOf, settingsOf } from '../parse.ts';

const endpoints = 'endpoints: { static: ["a:1"] }';

/** What a service and its one route say of compression. */
function compressOf(service: string, route = '', defaults = ''): { service: unknown; route: unknown } {
  const text = aroundService(
    `${endpoints}\nroutes: [{ path: /app${route === '' ? '' : `, compress: ${route}`} }]\n${service}`,
  );
  const [only] = settingsOf(`${text}${defaults}`).services;
  return { service: only?.compress, route: only?.routes[0]?.compress };
}

const usual = compressOf('compress: true').service as CompressSettings;

describe('compression', () => {
  test('is off unless something turns it on', () => {
    expect(compressOf('')).toEqual({ service: undefined, route: undefined });
    expect(compressOf('compress: false', 'false')).toEqual({ service: false, route: false });
  });

  test('takes the quick levels of all encodings, for text, from 1 KiB on', () => {
    expect(usual).toMatchObject({
      encodings: ['zstd', 'br', 'gzip'],
      minBytes: 1024,
      levels: { zstd: 3, br: 4, gzip: 5 },
    });
    expect(usual.types).toEqual(expect.arrayContaining(['text/*', 'application/json', 'image/svg+xml']));
  });

  test.each<[written: string, change: Partial<CompressSettings>]>([
    ['{}', {}],
    ['[br, gzip]', { encodings: ['br', 'gzip'] }],
    ['{ encodings: [gzip], minBytes: 2KiB }', { encodings: ['gzip'], minBytes: 2048 }],
    ['{ types: [Text/HTML, "application/*"] }', { types: ['text/html', 'application/*'] }],
    ['{ levels: { gzip: 9 } }', { levels: { zstd: 3, br: 4, gzip: 9 } }],
  ])('is written as %s', (written, change) => {
    expect(compressOf(`compress: ${written}`).service).toEqual({ ...usual, ...change });
    expect(compressOf('', written).route).toEqual({ ...usual, ...change });
  });

  test.each<[defaults: string, service: string, change: Partial<CompressSettings> | false]>([
    ['true', 'false', false],
    ['false', 'true', {}],
    ['{ minBytes: 2KiB }', 'true', { minBytes: 2048 }],
    [
      '{ minBytes: 2KiB, levels: { br: 5 } }',
      '[gzip]',
      { encodings: ['gzip'], minBytes: 2048, levels: { ...usual.levels, br: 5 } },
    ],
    ['[gzip]', '{ levels: { gzip: 1 } }', { encodings: ['gzip'], levels: { ...usual.levels, gzip: 1 } }],
  ])('of defaults %s and a service with %s is merged', (defaults, service, change) => {
    const found = compressOf(`compress: ${service}`, '', `defaults: { compress: ${defaults} }\n`).service;
    expect(found).toEqual(change === false ? false : { ...usual, ...change });
  });

  test.each([
    ['yes', 'compress: expected true, false, a list of encodings or a mapping, found text'],
    ['[]', 'compress: expected at least one encoding'],
    ['[gzip, deflate]', 'compress[1]: expected zstd, br or gzip'],
    ['[gzip, gzip]', 'compress: an encoding is listed twice'],
    ['{ encodings: [gzip, br, gzip] }', 'compress.encodings: an encoding is listed twice'],
    ['{ types: [] }', 'compress.types: expected at least one media type'],
    ['{ types: [html] }', 'compress.types[0]: expected a media type such as text/html or text/*, found "html"'],
    ['{ types: ["text/html; charset=utf-8"] }', 'compress.types[0]: a media type without parameters'],
    ['{ types: [multipart/mixed] }', 'compress.types[0]: multipart is never compressed'],
    ['{ types: [application/grpc+proto] }', 'compress.types[0]: gRPC is never compressed'],
    ['{ levels: { br: 11 } }', 'compress.levels.br: expected a whole number from 1 to 9, found "11"'],
    ['{ levels: { deflate: 1 } }', 'compress.levels.deflate: unknown key'],
    ['{ level: 4 }', 'compress.level: unknown key (did you mean "levels"?)'],
    ['{ minBytes: 0 }', 'compress.minBytes: expected a size'],
  ])('as %s is refused', (written, message) => {
    const problems = problemsOf(aroundService(`${endpoints}\nroutes: [{ path: / }]\ncompress: ${written}`));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^6:\d+/);
    expect(problems[0]).toContain(`services.app.${message}`);
  });

  test('is for no more answers at once than workers can share out', () => {
    const text = aroundService(`${endpoints}\nroutes: [{ path: / }]`);
    expect(problemsOf(`${text}workers: 4\nbudget: { compressions: 3 }\n`)).toEqual([
      expect.stringContaining('budget.compressions: 3 cannot be shared out between 4 workers'),
    ]);
  });

  test('is told of every type in its document', async () => {
    const page = await readFile(new URL('../../../docs/compression.md', import.meta.url), 'utf8');
    expect(usual.types.filter((type) => !page.includes(`\`${type}\``))).toEqual([]);
  });
});
