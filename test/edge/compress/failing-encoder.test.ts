import { expect, test } from 'vitest';
import { CodedAnswer } from '../../../src/edge/compress/coded-answer.ts';
import { CompressionCounts } from '../../../src/edge/compress/compression-counts.ts';
import { CompressionLimit } from '../../../src/edge/compress/compression-limit.ts';
import { CompressionRule } from '../../../src/edge/compress/compression-rule.ts';
import { latin1Bytes } from '../../../src/edge/http1/latin1.ts';
import { ResponseHead } from '../../../src/edge/http1/response.ts';
import { answering, ok, until } from '../wire.ts';
import { accepting, compressing, compression, prose } from './compressing.ts';

const TEXT = 'Content-Type: text/plain\r\n';

test('where no encoder can be opened, the answer is sent as it is', async () => {
  const levels = { zstd: 3, br: 4, gzip: 99 };
  const { harness } = await compressing(
    answering(() => ok(prose(100_000), `${TEXT}ETag: "a"\r\n`)),
    { levels },
  );
  const client = await harness.connect();
  client.get('/', accepting('gzip'));
  const { fields, text } = await client.answer();
  expect([fields['content-encoding'], fields['etag'], fields['content-length']]).toEqual([
    undefined,
    ['"a"'],
    ['100000'],
  ]);
  expect(text).toBe(prose(100_000));
  expect((await harness.service())?.compression).toEqual({ coded: {}, refused: 1 });
});

test('an encoder that breaks is told once, and given back, and nothing more is written', async () => {
  const response = new ResponseHead();
  const head = `HTTP/1.1 200 OK\r\n${TEXT}Content-Length: 100000\r\n`;
  response.parse(head, latin1Bytes(head), 0, 'GET', 10);
  const told: string[] = [];
  const owner = {
    onEncoderDrain: () => {},
    onClientBehind: () => {},
    onCoding: () => {},
    onEncoded: () => void told.push('encoded'),
    onEncoderFailure: () => void told.push('failure'),
  };
  const writer = { head: () => {}, piece: () => true, flush: () => true, end: () => told.push('end') > 0 };
  const limit = new CompressionLimit();
  const counts = new CompressionCounts();
  const rule = new CompressionRule(compression());
  const answer = new CodedAnswer(owner, { writer, rule, coding: 'zstd', response, added: '', limit, counts });
  answer.flush();
  expect(limit.open).toBe(1);
  // Zstandard was promised more.
  const content = Buffer.from(prose(50_000));
  answer.piece(content, 0, content.length);
  expect(answer.end('')).toBe(false);
  await until(() => told.length > 0, 'the failure');
  expect([told, limit.open]).toEqual([['failure'], 0]);
  answer.close();
  expect(limit.open).toBe(0);
});
