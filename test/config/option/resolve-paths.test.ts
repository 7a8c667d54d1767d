import { expect, test } from 'vitest';
import { z } from 'zod';
import { list, mapping, option, optional, options } from '../../../src/config/option/option.ts';
import { resolvePaths } from '../../../src/config/option/resolve-paths.ts';
import { path, text } from '../../../src/config/option/value-types.ts';

const schema = options({
  file: optional(path('a path, or stdout', 'stdout'), 'A file.'),
  cwd: option(path('a path'), '.', 'A folder.'),
  name: optional(text(), 'No path.'),
  files: list(options({ cert: path('a path') }), 'More files.'),
  folders: mapping(z.string(), path('a path'), 'Folders by name.'),
});

test('relative paths count from the folder, wherever they stand', () => {
  const written = { file: 'a.log', name: 'b', files: [{ cert: '../c.pem' }], folders: { one: 'd' } };
  expect(resolvePaths(schema, schema.parse(written), '/etc/app')).toEqual({
    file: '/etc/app/a.log',
    cwd: '/etc/app',
    name: 'b',
    files: [{ cert: '/etc/c.pem' }],
    folders: { one: '/etc/app/d' },
  });
});

test('absolute paths, and words that are none, stay', () => {
  const written = { file: 'stdout', cwd: '/srv', files: [{ cert: '/c.pem' }] };
  expect(resolvePaths(schema, schema.parse(written), '/etc/app')).toMatchObject(written);
  expect(resolvePaths(schema, schema.parse({}), '/etc/app')).toMatchObject({ file: undefined });
});
