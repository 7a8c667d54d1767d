import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { diffLists } from '../../../src/discovery/consul/list-diff.ts';
import { CheckTable, ServiceTable } from '../../../src/discovery/consul/tables.ts';
import { PilotlightError } from '../../../src/model/errors.ts';

const BORDER = Buffer.from('},{"Node":');
const check = (node: string, service: string, status = 'passing', output = '', index = 1) => ({
  Node: node,
  CheckID: service === '' ? 'serfHealth' : `service:${service}`,
  Status: status,
  Output: output,
  ServiceID: service,
  ServiceName: service,
  ServiceTags: [],
  CreateIndex: index,
});
const written = (list: object) => Buffer.from(JSON.stringify(list));

test('what two lists differ in is found, whatever their entries hold and wherever they moved', () => {
  const entry = fc.tuple(fc.constantFrom<string>('a', 'b', 'é', '},{"Node":', '}'), fc.nat({ max: 90 }), fc.boolean());
  const lists = fc.uniqueArray(entry, { selector: ([node, id]) => `${node} ${id}`, maxLength: 150 });
  fc.assert(
    fc.property(lists, fc.array(fc.nat({ max: 200 }), { maxLength: 12 }), lists, (before, edits, others) => {
      const now = [...before];
      for (const [turn, at] of edits.entries()) {
        const place = at % (now.length + 1);
        if (turn % 3 === 0) now.splice(place, 1);
        else if (turn % 3 === 1) now.splice(place, 0, ['new', turn, true]);
        else
          now.splice(
            place,
            1,
            ...others.slice(0, 2).map(([node, id]) => [`${node}!`, id + turn * 100, false] as never),
          );
      }
      const texts = (list: typeof before) => list.map(([Node, id, flag]) => JSON.stringify({ Node, id, flag }));
      const [old, fresh] = [texts(before), texts(now)];
      const { gone, came } = diffLists(Buffer.from(old.join(',')), Buffer.from(fresh.join(',')), BORDER);
      const only = (these: string[], those: string[]) => these.filter((text) => !those.includes(text)).sort();
      // What moved may be told as gone and come.
      const [both, all] = [(text: string) => !(gone.includes(text) && came.includes(text)), [gone, came]];
      expect(all.map((list) => list.filter(both).sort())).toEqual([only(old, fresh), only(fresh, old)]);
    }),
    { numRuns: 300 },
  );
});

test('a table of checks tells services and nodes apart, and is silent about what does not matter', () => {
  const table = new CheckTable();
  const first = [check('n1', 'shop'), check('n1', ''), check('n2', 'mail')];
  expect(table.take(written(first))).toBeUndefined();
  expect(table.take(written(first))).toEqual({ services: new Set(), nodes: new Set() });
  expect(table.take(written([check('n1', 'shop', 'passing', '},{"Node":"n1"}'), ...first.slice(1)]))).toEqual({
    services: new Set(),
    nodes: new Set(),
  });
  expect(table.take(written([check('n2', 'mail'), check('n1', '', 'critical')]))).toEqual({
    services: new Set(['shop']),
    nodes: new Set(['n1']),
  });
  expect(table.take(written([check('n2', 'mail', 'passing', '', 2), check('n1', '', 'critical')]))).toEqual({
    services: new Set(['mail']),
    nodes: new Set(),
  });
});

test('entries that are written in another order are compared all the same', () => {
  const table = new CheckTable();
  const turned = (checks: object[]) =>
    Buffer.from(
      JSON.stringify(
        checks.map((each) => Object.fromEntries(Object.entries(each).reverse())),
        null,
        2,
      ),
    );
  table.take(turned([check('n1', 'shop'), check('n2', 'mail')]));
  const changes = table.take(turned([check('n1', 'shop', 'warning'), check('n2', 'mail')]));
  expect(changes?.services).toEqual(new Set(['shop']));
});

test('of a list as an agent in development mode writes it, only the entries that differ are decoded', () => {
  const indented = (list: object) => Buffer.from(JSON.stringify(list, null, 4));
  const checks = Array.from({ length: 200 }, (_, place) => check(`n${place % 9}`, `s${place}`, 'passing', '},\n    {'));
  const table = new CheckTable();
  table.take(indented(checks));
  const parse = vi.spyOn(JSON, 'parse');
  const changes = table.take(indented(checks.with(7, check('n7', 's7', 'critical')).toSpliced(90, 1)));
  const decoded = parse.mock.calls.reduce((sum, [text]) => sum + text.length, 0);
  parse.mockRestore();
  expect(changes).toEqual({ services: new Set(['s7', 's90']), nodes: new Set() });
  expect(decoded).toBeLessThan(1000);
});

test.each(['{}', 'null', '', 'x[]', '][', '[x]', '[{"Node":"n1"},]'])('%s is no list of checks', (text) => {
  expect(() => new CheckTable().take(Buffer.from(text))).toThrow('not a list');
});

test('a table of services tells which came, went, or have other tags', () => {
  const table = new ServiceTable();
  expect(table.take(written({ shop: ['b', 'a'], mail: [] }))).toBeUndefined();
  expect(table.services).toEqual(new Map(Object.entries({ shop: ['a', 'b'], mail: [] })));
  expect(table.take(written({ shop: ['b', 'a'], mail: [] }))).toEqual(new Set());
  expect(table.take(written({ mail: [], shop: ['a', 'b'] }))).toEqual(new Set());
  expect(table.take(written({ mail: ['new'], api: [] }))).toEqual(new Set(['mail', 'shop', 'api']));
  for (const text of ['[]', 'null', '{']) expect(() => table.take(Buffer.from(text))).toThrow(PilotlightError);
  expect(table.take(written({ mail: ['new'], api: [] }))).toEqual(new Set());
});
