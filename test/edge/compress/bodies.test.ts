import { describe, expect, test } from 'vitest';
import { contentCodings } from '../../../src/model/compress-settings.ts';
import { type Answer, answering, type Client, ok } from '../wire.ts';
import { accepting, compressing, decoded, prose } from './compressing.ts';

const TEXT = 'Content-Type: text/plain; charset=utf-8\r\n';

function chunked(content: string, size: number, fields = TEXT, trailers = ''): string {
  let out = `HTTP/1.1 200 OK\r\n${fields}Transfer-Encoding: chunked\r\n\r\n`;
  for (let at = 0; at < content.length; at += size) {
    const piece = content.slice(at, at + size);
    out += `${piece.length.toString(16)}\r\n${piece}\r\n`;
  }
  return `${out}0\r\n${trailers}\r\n`;
}

async function ask(client: Client, fields: string, path = '/'): Promise<Answer> {
  client.get(path, fields);
  return client.answer();
}

describe.each(contentCodings)('%s', (coding) => {
  test.each([
    ['small, with a length', ok(prose(5000), TEXT), prose(5000)],
    ['small, in chunks', chunked(prose(5000), 700), prose(5000)],
    ['large, with a length', ok(prose(3_000_000), TEXT), prose(3_000_000)],
    ['large, in chunks', chunked(prose(3_000_000), 40_000), prose(3_000_000)],
  ])('content that is %s comes whole, on a connection that goes on', async (_, answer, content) => {
    const { harness } = await compressing(answering(() => answer));
    const client = await harness.connect();
    for (let i = 0; i < 3; i++) {
      const { fields, body, complete } = await ask(client, accepting(coding));
      expect(complete).toBe(true);
      expect(fields['content-encoding']).toEqual([coding]);
      expect(body.length).toBeLessThan(content.length);
      expect(decoded(coding, body).toString()).toBe(content);
    }
  });

  test('content that ends with the connection comes whole', async () => {
    const content = prose(200_000);
    const { harness } = await compressing(async (connection) => {
      await connection.request();
      connection.write(`HTTP/1.0 200 OK\r\n${TEXT}\r\n${content}`);
      connection.end();
    });
    const client = await harness.connect();
    const { fields, body, complete } = await ask(client, accepting(coding));
    expect([complete, fields['content-encoding'], fields['transfer-encoding']]).toEqual([true, [coding], ['chunked']]);
    expect(decoded(coding, body).toString()).toBe(content);
  });
});
