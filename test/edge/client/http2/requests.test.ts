import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { block, Flag, frame, PREFACE, REQUEST, settings, Type } from '../../../support/http2-frames.ts';
import { at, EdgeHarness, policy } from '../../edge-harness.ts';
import { answering, Origin, ok, rest, until } from '../../wire.ts';
import { Http2Client } from './http2-client.ts';

const echo = answering(({ line, body }) => ok(`${line} ${body}`));

describe('a request of HTTP/2 in clear text', () => {
  test('reaches a service of HTTP/1.1 and is answered', async () => {
    const origin = await Origin.listen(echo);
    const h = await EdgeHarness.start(policy(), {}, {}, { http2: true });
    h.state({ endpoints: [at(origin)] });
    const client = await Http2Client.open(h.port);
    const answer = await client.get('/a?b=1');
    expect([answer.status, answer.text, answer.reset]).toEqual([200, 'GET /a?b=1 HTTP/1.1 ', 0]);
    expect(answer.fields).toMatchObject({ 'content-length': '20', 'x-request-id': expect.any(String) });
    expect(h.accessed).toMatchObject([{ version: '2.0', status: 200, ending: 'complete', host: 'app.test' }]);
  });

  test('may come byte by byte, the beginning of its connection too', async () => {
    const origin = await Origin.listen(echo);
    const h = await EdgeHarness.start(policy(), {}, {}, { http2: true });
    h.state({ endpoints: [at(origin)] });
    const socket = connect(h.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.setNoDelay(true);
    let got = '';
    socket.on('data', (bytes: Buffer) => {
      got += bytes.toString('latin1');
    });
    const head = block([['content-length', '5']], [[':method', 'POST'], ...REQUEST.slice(1)]);
    const content = frame(Type.DATA, Flag.PADDED | Flag.END_STREAM, 1, '\x03hello\0\0\0');
    for (const byte of Buffer.concat([PREFACE, settings(), frame(Type.HEADERS, Flag.END_HEADERS, 1, head), content])) {
      socket.write(Buffer.from([byte]));
      await rest(0);
    }
    await until(() => got.includes('POST / HTTP/1.1 hello'), 'the answer');
  });

  test('waits for a service that is asleep', async () => {
    const origin = await Origin.listen(echo);
    const h = await EdgeHarness.start(policy(), {}, {}, { http2: true });
    h.state();
    const client = await Http2Client.open(h.port);
    const sent = Array.from({ length: 20 }, (_, i) => client.send({ ':path': `/${i}` }));
    await h.held(20);
    h.state({ endpoints: [at(origin)] });
    const answers = await Promise.all(sent.map((each) => each.answer()));
    expect(answers.map(({ text }) => text)).toEqual(sent.map((_, i) => `GET /${i} HTTP/1.1 `));
  });
});
