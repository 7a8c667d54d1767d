import { expect, test } from 'vitest';
import { serveAdmin } from './serve-admin.ts';

/** Addresses of all that the page loads. */
async function loadedBy(page: string): Promise<string[]> {
  return [...page.matchAll(/(?:src|href)="(dashboard\/[^"]+)"/g)].map((match) => `/${match[1]}`);
}

test('the page is served with a policy that lets nothing in from elsewhere, and no markup out of text', async () => {
  const { ask } = await serveAdmin();
  const { status, headers, body } = await ask('GET', '/');
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  const policy = headers['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).toContain("require-trusted-types-for 'script'");
  expect(policy).not.toContain('unsafe');
  expect(headers['cache-control']).toBe('no-cache');
  expect(body).not.toMatch(/<script>|<style| style="| on\w+="|https?:/);
});

test('without the token the page is a refusal, which asks for the token', async () => {
  const { ask } = await serveAdmin({ token: 'let-me-in' });
  const { status, headers, body } = await ask('GET', '/');
  expect(status).toBe(401);
  expect(headers['www-authenticate']).toBe('Bearer realm="pilotlight"');
  expect(await loadedBy(body)).not.toEqual([]);
  expect((await ask('GET', '/', { authorization: 'Bearer let-me-in' })).status).toBe(200);
});

test('all that the page loads is there without a token, without types, and may be kept for ever', async () => {
  const { ask } = await serveAdmin({ token: 'let-me-in' });
  const addresses = await loadedBy((await ask('GET', '/')).body);
  expect(addresses.length).toBeGreaterThan(10);
  for (const address of addresses) {
    const { status, headers, body } = await ask('GET', address);
    expect([address, status]).toEqual([address, 200]);
    expect(headers['content-type']).toMatch(address.endsWith('.css') ? /^text\/css/ : /^text\/javascript/);
    expect(headers['cache-control']).toContain('immutable');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(body).not.toMatch(/^(?:import|export) (?:type|interface) /m);
  }
});

test.each([
  ['another version', (address: string) => address.replace(/\/[0-9a-f]{16}\//, '/0000000000000000/')],
  ['a file beside the folder', (address: string) => address.replace(/[^/]+$/, '..%2Fadmin%2Faccess.ts')],
  ['a name that is not there', (address: string) => address.replace(/[^/]+$/, 'constructor')],
])('%s is not found', async (_what, change) => {
  const { ask } = await serveAdmin();
  const [address = ''] = await loadedBy((await ask('GET', '/')).body);
  expect((await ask('GET', change(address))).status).toBe(404);
});

test('the page reads only', async () => {
  const { ask } = await serveAdmin();
  const answer = await ask('POST', '/');
  expect(answer.status).toBe(405);
  expect(answer.headers['allow']).toBe('GET, HEAD');
});
