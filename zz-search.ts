import fc from 'fast-check';
import { RouteTable } from './src/edge/route/route-table.ts';
import type { RouteView } from './src/model/snapshot.ts';
import { rules } from './test/edge/route/rules.ts';
import { decoders } from './test/support/path-decoders.ts';
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
        '%ff', '%fe', '%fd', '%c3', '%80', '%e0', '%f0', '%f8', '@', 'A', '%c0%2f', '%e0%40%af', '%fc%80%80%80%80%af',
        'é',
      ].map((text) => text.replace(' ', '%20').replace('é', '%C3%A9')),
    );
    const targets = fc.array(piece, { maxLength: 9 }).map((pieces) => `/${pieces.join('')}`);

const end = Date.now() + Number(process.argv[2]) * 1000;
let runs = 0;
while (Date.now() < end) {
  const result = fc.check(fc.property(targets, (target) => passedBy(target).length === 0), { numRuns: 50_000 });
  runs += result.numRuns;
  if (result.failed) { console.log(runs, JSON.stringify(result.counterexample), JSON.stringify(passedBy(result.counterexample[0]))); }
}
console.log('runs', runs);
