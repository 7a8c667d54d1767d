import { describe, expect, test } from 'vitest';
import type { TlsMaterial } from '../../../../src/model/certificates.ts';
import { makeCertificate, tlsMaterial } from '../../../support/certificates.ts';
import type { ListenChange } from '../../../support/listen-settings.ts';
import { at, EdgeHarness } from '../../edge-harness.ts';
import { answering, Origin, ok } from '../../wire.ts';
import { shown, tlsConnect } from './tls-client.ts';

const app = makeCertificate();
const echo = answering(({ line, fields }) => ok(`${line} ${JSON.stringify(fields)}`));

async function start(tls: TlsMaterial = tlsMaterial([app]), listen: Omit<ListenChange, 'tls'> = {}) {
  const origin = await Origin.listen(echo);
  const { timeouts, ...rest } = listen;
  const h = await EdgeHarness.start(undefined, {}, timeouts, { ...rest, tls });
  h.state({ endpoints: [at(origin)] });
  return h;
}

describe('requests come through TLS', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', async (version) => {
    const h = await start();
    const client = await tlsConnect(h.port, { minVersion: version, maxVersion: version });
    expect(client.socket.getProtocol()).toBe(version);
    expect(client.socket.alpnProtocol).toBe('http/1.1');
    expect(await client.ask('/one')).toContain('GET /one HTTP/1.1');
    expect(await client.ask('/two')).toContain('GET /two HTTP/1.1');
    expect((await h.report()).handshakes).toEqual({ full: 1 });
    expect(h.accessed.map(({ tls }) => tls?.version)).toEqual([version, version]);
  });

  test('the service is told https and the port of the listener', async () => {
    const h = await start();
    const answer = await (await tlsConnect(h.port)).ask();
    expect(answer).toContain('"x-forwarded-proto":["https"]');
    expect(answer).toContain(`"x-forwarded-port":["${h.port}"]`);
    expect(shown(await tlsConnect(h.port))).toBe('DNS:app.test');
  });
});
