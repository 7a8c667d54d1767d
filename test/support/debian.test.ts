import { expect, test } from 'vitest';
import { debianArchives, parseDeb822, parseOneLine } from './debian.ts';

const deb822 = `# a comment
Types: deb deb-src
URIs: http://mirror.test/debian
Suites: bookworm
 bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

types: deb
uris: http://mirror.test/debian-security
suites: bookworm-security
components: main

Enabled: no
Types: deb
URIs: http://old.test/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://sources.test/debian
Suites: bookworm
Components: main
`;

const oneLine = `# deb http://off.test/debian bookworm main
deb [arch=amd64 signed-by=/etc/apt/keyrings/a.gpg] http://mirror.test/debian bookworm main contrib # note
deb-src http://sources.test/debian bookworm main
deb http://vendor.test/apt bookworm stable
`;

test('the archive is found in deb822 sources, continued lines included', () => {
  const sources = parseDeb822(deb822);
  expect(sources[0]).toEqual({
    uri: 'http://mirror.test/debian',
    suites: ['bookworm', 'bookworm-updates'],
    components: ['main', 'contrib'],
  });
  expect(sources).toHaveLength(2);
  expect(debianArchives(sources, 'bookworm')).toEqual(['http://mirror.test/debian']);
});

test('the archive is found in one-line sources, options and comments aside', () => {
  const sources = parseOneLine(oneLine);
  expect(sources[0]).toEqual({
    uri: 'http://mirror.test/debian',
    suites: ['bookworm'],
    components: ['main', 'contrib'],
  });
  expect(debianArchives(sources, 'bookworm')).toEqual(['http://mirror.test/debian']);
});

test('neither security updates nor third parties are taken for the archive', () => {
  const vendor = { uri: 'http://vendor.test/apt', suites: ['bookworm'], components: ['stable'] };
  const security = { uri: 'http://mirror.test/debian-security', suites: ['bookworm-security'], components: ['main'] };
  expect(debianArchives([vendor, security], 'bookworm')).toEqual([]);
});
