import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RouteTable } from '../../src/edge/route/route-table.ts';
import type { RouteView } from '../../src/model/snapshot.ts';
import { MAX_READINGS, MAX_STEPS, readingsOf } from '../../src/util/path-readings.ts';
import { rules } from '../edge/route/rules.ts';
import { decoders } from '../support/path-decoders.ts';
import { guardedSpellings } from '../support/path-spellings.ts';

interface Target {
  path: string;
}

const guarded = rules({ allow: ['192.0.2.1'] });
const route = (path: string, change: Partial<RouteView> = {}): RouteView => ({
  host: undefined,
  path,
  service: 'app',
  ...change,
});

/** One upstream, of which some paths are guarded and others within them are not. */
const views = [
  route('/'),
  route('/secret', { rules: guarded }),
  route('/secret/open'),
  route('/x/secret', { rules: rules({ allow: ['192.0.2.2'] }) }),
];
const table = new RouteTable<Target>(views, ({ path }) => ({ path }));

function leadsTo(target: string): string {
  const query = target.indexOf('?');
  const host = table.host('any.test');
  if (host === undefined) return 'NO_ROUTE';
  const found = RouteTable.lookup(host, target, query < 0 ? target.length : query);
  return typeof found === 'string' ? found : found.path;
}

/** The guard of a path as an application sees it: a segment ends at a slash or at its parameters. */
function guardOf(seen: string): string | undefined {
  const under = (prefix: string): boolean => seen.startsWith(prefix) && /^(?:$|[/;])/.test(seen.slice(prefix.length));
  if (under('/secret/open')) return undefined;
  if (under('/secret')) return '/secret';
  return under('/x/secret') ? '/x/secret' : undefined;
}

/** Who would serve a guarded path without its guard; empty: nobody. */
function passedBy(target: string): string[] {
  const led = leadsTo(target);
  if (led === 'AMBIGUOUS_PATH' || led === 'NO_ROUTE') return [];
  return Object.entries(decoders).flatMap(([name, decode]) => {
    const seen = decode(target);
    const guard = seen === undefined ? undefined : guardOf(seen);
    return guard === undefined || guard === led ? [] : [`${name} sees ${seen} of ${target}, which leads to ${led}`];
  });
}

/** What such a search found once: a first byte of UTF-8 that hides others from who believes it. */
const FOUND = ['/%ff%e0%80%af...%e0%80%af%2E%2e/secret'];

describe('no application sees a guarded path whose guard was not asked', () => {
  test('the decoders tell what they are to find', () => {
    const finds = Object.values(decoders).filter((decode) =>
      guardedSpellings.some((target) => guardOf(decode(target) ?? '') === '/secret'),
    );
    expect(finds.length).toBe(Object.keys(decoders).length);
    for (const target of guardedSpellings) {
      expect(
        Object.values(decoders).some((decode) => guardOf(decode(target) ?? '') !== undefined),
        target,
      ).toBe(true);
    }
  });

  test.each(guardedSpellings)('%s', (target) => {
    expect(passedBy(target)).toEqual([]);
    expect(leadsTo(target)).not.toBe('/');
  });

  test('paths of all that they are spelt with', () => {
    const piece = fc.constantFrom(
      ...['/', '/', '//', '\\', '%2f', '%5C', '%252F', '%25252f', '%255c', '%c0%af', '%e0%80%af', '%c1%9c'],
      ...['.', '..', '%2e', '%2E%2e', '.%2e', '%252e', '%c0%ae', '%f0%80%80%ae', '...', '%c0%2e'],
      ...['secret', 'secret', '/secret', '/x', '/open', '%73ecret', 's%65cret', '%2573ecret', '%c1%b3ecret', 'secrets'],
      ...[
        ';',
        ';a=b',
        '%3b',
        '%253B',
        ';/',
        '%20',
        '%2520',
        '. ',
        '%3f',
        '?',
        '%23',
        '%09',
        '%0a',
        '%250d',
        '%u0073ecret',
        '%u002F',
        '%7f',
        '%',
        '%zz',
        '%0',
        ...['%ff', '%fd', '%f0', '%e0', '%c3', '%80', '@'],
        'é',
      ].map((text) => text.replace(' ', '%20').replace('é', '%C3%A9')),
    );
    const targets = fc.array(piece, { maxLength: 9 }).map((pieces) => `/${pieces.join('')}`);
    fc.assert(
      fc.property(targets, (target) => {
        expect(passedBy(target)).toEqual([]);
      }),
      { numRuns: 10_000, examples: FOUND.map((target) => [target]) },
    );
  }, 120_000);
});

describe('paths that are read in one way by all who matter pass', () => {
  test.each<[target: string, to: string]>([
    ['/group%2Fproject', '/'],
    ['/a%20b/caf%C3%A9', '/'],
    ['/page;jsessionid=1', '/'],
    ['/secret;jsessionid=1', '/secret'],
    ['/fetch/https%3A%2F%2Fa.test%2Fb%3Bc%3Dd%2F..%2Fe%2520f/', '/'],
    ['/x//y', '/'],
    ['/.well-known/x', '/'],
    ['/a/..%2fb', '/'],
    ['/100%', '/'],
    ['/secret/a%2Fb', '/secret'],
    ['/secret/open/%2e', '/secret/open'],
  ])('%s → %s', (target, to) => {
    expect(leadsTo(target)).toBe(to);
  });
});

describe('what it takes to read a path is bounded', () => {
  const evil = ['a\\b//c;d/e./../%2e%2e/%252f%c0%ae%20', '%25252f', '..%2f;/', '%2e%2e%2f', 'a.', ';', '/', '%c0', '.'];

  test.each(evil)('of %s many times', (piece) => {
    for (let size = 8; size <= 64 * 1024; size *= 2) {
      const path = `/${piece.repeat(Math.ceil(size / piece.length))}`;
      const { paths, steps } = readingsOf(path);
      // The last one that was begun is read to its end, in each way.
      expect(steps).toBeLessThanOrEqual(MAX_STEPS + 8 * path.length);
      expect(paths?.length ?? 0).toBeLessThanOrEqual(MAX_READINGS + 8);
    }
  });

  test('of one with a few escapes it grows with its length', () => {
    const { steps } = readingsOf(`/${'x'.repeat(7000)}%20`);
    expect(steps).toBeLessThan(6 * 7000);
  });

  test('one with too many readings is refused', () => {
    expect(leadsTo(`/${'a\\b//c;d/e./../%2e%2e/%252f'.repeat(100)}`)).toBe('AMBIGUOUS_PATH');
  });
});
