import { describe, expect, test } from 'vitest';
import { at, EdgeHarness, policy } from '../../edge-harness.ts';
import { answering, Origin, ok } from '../../wire.ts';
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
