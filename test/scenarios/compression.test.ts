import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { run } from '../support/command.ts';
import { freePort } from '../support/free-port.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const compress = { types: ['text/*', 'text/event-stream', 'application/octet-stream'] };
const PAGE = Buffer.alloc(300_000, 'x').toString();

describe('curl --compressed', () => {
  for (const version of ['--http1.1', '--http2-prior-knowledge']) {
    scenario(`wakes a service and gets what it sends, whatever the encoding, by ${version}`, async (stage) => {
      const app = await stage.app('app', { service: { compress } });
      const port = await freePort();
      const listen = [{ address: `127.0.0.1:${port}`, http2: true }];
      const accessLog = { file: join(stage.workspace.folder, 'access.log'), format: 'json' };
      const proxy = await stage.proxy({ apps: [app], config: { listen, accessLog, workers: 2 } });
      const ask = async (path: string, ...fields: string[]) => {
        const more = fields.flatMap((field) => ['-H', field]);
        const url = `http://app.test:${port}${path}`;
        const where = ['--resolve', `app.test:${port}:127.0.0.1`];
        const out = await run('curl', ['-sS', '-i', '--compressed', version, ...where, ...more, url]);
        const [head = '', ...body] = out.split('\r\n\r\n');
        return { head: head.toLowerCase(), body: body.join('\r\n\r\n') };
      };
      for (const encoding of ['gzip', 'br', 'zstd']) {
        const { head, body } = await ask('/page?size=300000', `Accept-Encoding: ${encoding}`);
        expect(head).toMatch(new RegExp(`\r\ncontent-encoding: ${encoding}(?:\r\n|$)`));
        expect(createHash('sha256').update(body).digest()).toEqual(createHash('sha256').update(PAGE).digest());
        expect((await ask('/chunked?chunks=300', `Accept-Encoding: ${encoding}`)).body).toContain('chunk 299\n');
      }
      // What this curl accepts by itself.
      expect((await ask('/sse?count=200')).head).toMatch(/\r\ncontent-encoding: (?:gzip|br|zstd)(?:\r\n|$)/);
      const whole = await ask('/page?size=300000', 'Range: bytes=0-');
      expect([whole.head.includes('content-encoding'), whole.body.length]).toEqual([false, PAGE.length]);
      await until('the answers are counted', async () => {
        return (await proxy.metric('pilotlight_compressed_answers_total', { service: 'app' })) === 7;
      });
      const labels = { service: 'app', direction: 'out' };
      expect(await proxy.metric('pilotlight_compressed_bytes_total', labels)).toBeLessThan(60_000);
      expect(app.log.boots()).toHaveLength(1);
    });
  }
});
