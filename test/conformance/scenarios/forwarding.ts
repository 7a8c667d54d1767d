import assert from 'node:assert/strict';
import { ANSWER_MS } from '../harness/lane.ts';
import { valuesOf } from '../harness/message.ts';
import { type Scenario, scenario } from '../harness/scenario.ts';
import { play, type Stage, type StageSettings } from '../harness/stage.ts';

const trusted: StageSettings = { trustedProxies: ['127.0.0.0/8'] };

/** The fields of a name that the origin got of a request with these fields. */
async function passed(stage: Stage, fields: string[]): Promise<(name: string) => string[]> {
  const client = await stage.sent(`GET /c HTTP/1.1\r\nHost: a\r\n${fields.map((each) => `${each}\r\n`).join('')}\r\n`);
  assert.equal((await client.answer('GET', ANSWER_MS))?.status, 200);
  const message = stage.origin.take().received[0]?.message;
  return (name) => valuesOf(message?.fields ?? [], name);
}

const told: [name: string, value: string, passedOn: string][] = [
  ['X-Forwarded-For', '203.0.113.7', '203.0.113.7, 127.0.0.1'],
  ['X-Forwarded-Proto', 'https', 'https'],
  ['X-Forwarded-Host', 'shop.example', 'shop.example'],
  ['X-Forwarded-Port', '443', '443'],
  ['X-Real-IP', '203.0.113.7', '203.0.113.7'],
  ['X-Request-Id', 'abc-123', 'abc-123'],
];

export const forwarding: Scenario[] = [
  scenario('what a trusted proxy says of the client is believed', [38], () =>
    play(trusted, async (stage) => {
      const values = await passed(
        stage,
        told.map(([name, value]) => `${name}: ${value}`),
      );
      for (const [name, , passedOn] of told) assert.deepEqual(values(name), [passedOn], name);
    }),
  ),
  ...told.map(([name, value, passedOn]) =>
    scenario(`Connection cannot take a trusted proxy’s ${name} away`, [38, 'CVE-2024-45410'], () =>
      play(trusted, async (stage) => {
        const values = await passed(stage, [`Connection: ${name.toLowerCase()}`, `${name}: ${value}`]);
        assert.deepEqual(values(name), [passedOn]);
      }),
    ),
  ),
  scenario('an alias by underscores is dropped though its sender is trusted', [42, 'GHSA-5m6w-wvh7-57vm'], () =>
    play(trusted, async (stage) => {
      const values = await passed(stage, [
        'X_Forwarded_For: 9.9.9.9',
        'X_Request_Id: evil',
        'X-Forwarded_Proto: https',
      ]);
      assert.deepEqual(values('x_forwarded_for'), []);
      assert.deepEqual(values('x_request_id'), []);
      assert.deepEqual(values('x-forwarded_proto'), []);
      assert.deepEqual(values('x-forwarded-for'), ['127.0.0.1']);
    }),
  ),
  scenario('a request id that is no token is replaced though its sender is trusted', [38], () =>
    play(trusted, async (stage) => {
      const values = await passed(stage, ['X-Request-Id: a b']);
      assert.match(values('x-request-id').join(), /^[\w-]+$/);
    }),
  ),
  scenario('an answer whose Connection takes its own request id away carries ours', [37, 38], () =>
    play({}, async (stage) => {
      stage.origin.answering = (_request, socket) => {
        socket.write('HTTP/1.1 204 No Content\r\nConnection: X-Request-Id\r\nX-Request-Id: theirs\r\n\r\n');
      };
      const client = await stage.sent('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      const fields = (await client.answer('GET', ANSWER_MS))?.message.fields ?? [];
      assert.match(valuesOf(fields, 'x-request-id').join(), /^(?!theirs)[\w-]+$/);
    }),
  ),
  scenario('Via is written where it is wanted, behind those before it', [39], () =>
    play({ policy: { via: 'edge' } }, async (stage) => {
      const values = await passed(stage, ['Via: 1.0 fred']);
      assert.deepEqual(values('via'), ['1.0 fred', '1.1 edge']);
    }),
  ),
];
