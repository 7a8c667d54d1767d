import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { serveAdmin } from './serve-admin.ts';

const paths = ['/metrics', '/v1/services', '/v1/services/shop', '/v1/events', '/v1/live', '/nowhere', '/dashboard'];

describe('with a token', () => {
  test.each(paths)('%s without it is 401', async (path) => {
    const { ask } = await serveAdmin({ token: 'let-me-in' });
    const answer = await ask('GET', path);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    expect(JSON.parse(answer.body).code).toBe('UNAUTHORIZED');
  });

  test('wake and sleep without it are 401 and do nothing', async () => {
    const { ask, control } = await serveAdmin({ token: 'let-me-in' });
    expect((await ask('POST', '/v1/services/shop/wake')).status).toBe(401);
    expect((await ask('POST', '/v1/services/shop/sleep')).status).toBe(401);
    expect(control.asked).toEqual([]);
  });

  test.each(['let-me-i', 'let-me-in2', 'LET-ME-IN', ''])('the wrong token "%s" is 401', async (token) => {
    const { ask } = await serveAdmin({ token: 'let-me-in' });
    expect((await ask('GET', '/v1/services', { Authorization: `Bearer ${token}` })).status).toBe(401);
    expect((await ask('GET', '/v1/services', { Authorization: token })).status).toBe(401);
  });

  test('the right one opens everything; the scheme is not case-sensitive', async () => {
    const { ask, control } = await serveAdmin({ token: 'let-me-in' });
    expect((await ask('GET', '/v1/services', { Authorization: 'bearer let-me-in' })).status).toBe(200);
    expect((await ask('POST', '/v1/services/shop/wake', { Authorization: 'Bearer let-me-in' })).status).toBe(200);
    expect(control.asked).toEqual(['wake shop']);
  });

  test.each(['/healthz', '/readyz'])('%s needs none', async (path) => {
    const { ask } = await serveAdmin({ token: 'let-me-in' });
    expect((await ask('GET', path)).status).toBe(200);
  });
});

describe('Host', () => {
  test.each(['127.0.0.1', 'localhost', 'LocalHost', '[::1]'])(
    '%s is answered, with the port, that of a forwarding or none',
    async (name) => {
      const { ask, port } = await serveAdmin();
      for (const host of [`${name}:${port}`, `${name}:1`, name]) {
        expect((await ask('GET', '/v1/services', { Host: host })).status).toBe(200);
      }
    },
  );

  test.each(['rebound.example', '127.0.0.1.example', '10.0.0.1', 'localhost.', '::1', 'localhost:x', ''])(
    '"%s" is refused, also for what is open',
    async (name) => {
      const { ask } = await serveAdmin();
      for (const path of ['/healthz', '/v1/services']) {
        expect(await ask('GET', path, { Host: name })).toMatchObject({ status: 421 });
      }
    },
  );

  test('another name is refused with the port, too', async () => {
    const { ask, port } = await serveAdmin();
    expect((await ask('GET', '/v1/services', { Host: `rebound.example:${port}` })).status).toBe(421);
  });

  test('where all addresses are listened on, the address connected to is answered and no other', async () => {
    const { port } = await serveAdmin({ host: '0.0.0.0', token: 'let-me-in' });
    const own = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.family === 'IPv4' && !address.internal)?.address;
    const host = own ?? '127.0.0.1';
    const options = { headers: { Authorization: 'Bearer let-me-in' } };
    expect((await fetch(`http://${host}:${port}/v1/services`, options)).status).toBe(200);
    const { ask } = await serveAdmin({ host: '0.0.0.0', token: 'let-me-in' });
    expect((await ask('GET', '/healthz', { Host: '192.0.2.1:80' })).status).toBe(421);
  });
});

describe('requests that change something', () => {
  test.each([
    { Origin: 'http://evil.example' },
    { Origin: 'null' },
    { Origin: 'http://localhost:3000' },
    { 'Sec-Fetch-Site': 'cross-site' },
  ])('from another site are refused: %o', async (fields) => {
    const { ask, control } = await serveAdmin();
    const answer = await ask('POST', '/v1/services/shop/wake', fields);
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body).code).toBe('ORIGIN_REFUSED');
    expect(control.asked).toEqual([]);
  });

  test('from its own pages, or from no page, are answered', async () => {
    const { ask, port, control } = await serveAdmin();
    const own = { Origin: `http://localhost:${port}`, Host: `localhost:${port}`, 'Sec-Fetch-Site': 'same-origin' };
    expect((await ask('POST', '/v1/services/shop/wake', own)).status).toBe(200);
    expect((await ask('POST', '/v1/services/shop/sleep')).status).toBe(200);
    expect(control.asked).toEqual(['wake shop', 'sleep shop']);
  });

  test('through a forwarding, its own pages are answered and those of another port are not', async () => {
    const { ask } = await serveAdmin();
    const ported = { Host: 'localhost:9999', Origin: 'http://localhost:9999' };
    expect((await ask('POST', '/v1/services/shop/wake', ported)).status).toBe(200);
    const other = { Host: 'localhost:9999', Origin: 'http://localhost:3000' };
    expect((await ask('POST', '/v1/services/shop/wake', other)).status).toBe(403);
  });
});
