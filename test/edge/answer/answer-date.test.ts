import { expect, test } from 'vitest';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { answering, Origin, ok } from '../wire.ts';

async function served(answer: string) {
  const origin = await Origin.listen(answering(() => answer));
  const harness = await EdgeHarness.start(policy());
  harness.state({ endpoints: [at(origin)] });
  return harness.connect();
}

const withoutDate: [what: string, answer: string, method: string][] = [
  ['with a length', ok('ok', 'Cache-Control: max-age=60\r\n'), 'GET'],
  ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 'GET'],
  ['to HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n', 'HEAD'],
  ['304', 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n', 'GET'],
  ['500', ok('no', '', '500 Internal Server Error'), 'GET'],
  ['of HTTP/1.0', ok('ok').replace('HTTP/1.1', 'HTTP/1.0'), 'GET'],
  ['whose Connection takes its Date away', ok('ok', 'Date: then\r\nConnection: Date\r\n'), 'GET'],
];

test.each(withoutDate)('an answer without Date gets the time of its receipt: one %s', async (_what, answer, method) => {
  const client = await served(answer);
  client.write(`${method} / HTTP/1.1\r\nHost: app.test\r\n\r\n`);
  const { fields } = await client.answer(method);
  expect(fields['date']).toHaveLength(1);
  expect(fields['date']?.[0]).toMatch(/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);
});

test.each(['dAtE:  Thu, 01 Jan 1970 00:00:00 GMT', 'Date: yesterday', 'Date:', 'Date: 1\r\nDate: 2'])(
  'a Date that is there stays as it is, byte for byte: %j',
  async (line) => {
    const client = await served(ok('ok', `${line}\r\n`));
    client.get();
    const { head, fields } = await client.answer();
    expect(head).toContain(`\r\n${line}\r\n`);
    expect(fields['date']).toHaveLength(line.split('\r\n').length);
  },
);

test('an interim answer gets no Date, the final one behind it does', async () => {
  const client = await served(`HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${ok()}`);
  client.get();
  const { interim, fields } = await client.answer();
  expect(interim).toEqual(['HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n']);
  expect(fields['date']).toHaveLength(1);
});

test('a switch of protocols is an interim answer, and gets none', async () => {
  const client = await served('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  client.get('/', 'Connection: Upgrade\r\nUpgrade: echo\r\n');
  const { status, fields } = await client.answer();
  expect([status, fields['date']]).toEqual([101, undefined]);
});
