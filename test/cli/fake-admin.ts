import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

interface FakeAdmin {
  url: string;
  /** Method, path and token of every request. */
  asked: string[];
  /** Sent to the requests to come. */
  answer: { status: number; body: string };
  /** Bodies sent before, one to each request. */
  first: unknown[];
}

/**
 * An HTTP server that answers every request the same and remembers what was asked.
 * @param declarations status of the answer to who asks for declared services: 404 as before there were any
 */
export async function fakeAdmin(status: number, body: unknown, { declarations = 200 } = {}): Promise<FakeAdmin> {
  const fake: FakeAdmin = { url: '', asked: [], answer: { status, body: JSON.stringify(body) }, first: [] };
  const server = createServer((request, response) => {
    // Nothing declares itself.
    if (request.url === '/v1/declarations') {
      const told = declarations === 200 ? [] : { code: 'NOT_FOUND', title: 'Not found' };
      response.writeHead(declarations, { 'content-type': 'application/json' }).end(JSON.stringify(told));
      return;
    }
    // … and memory has no bound.
    if (request.url === '/v1/budget') {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"memory":null}');
      return;
    }
    // … and it acts alone.
    if (request.url === '/v1/cluster') {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"cluster":null}');
      return;
    }
    fake.asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? '-'}`);
    response.writeHead(fake.answer.status, { 'content-type': 'application/json' });
    const first = fake.first.shift();
    response.end(first === undefined ? fake.answer.body : JSON.stringify(first));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fake;
}
