import { describe, expect, test } from 'vitest';
import { aroundFile, problemsOf, settingsOf } from '../parse.ts';

const tracesOf = (traces: string) => settingsOf(aroundFile(`traces: ${traces}`)).traces;

test('nothing is traced without an endpoint', () => {
  expect(settingsOf(aroundFile('')).traces).toBeUndefined();
  expect(tracesOf('{ sample: 1 }')).toBeUndefined();
});

test('an endpoint is enough', () => {
  const endpoint = 'http://127.0.0.1:4318/v1/traces';
  const usual = { endpoint, sample: 0.1, headers: {}, service: 'pilotlight', query: false };
  expect(tracesOf('{ endpoint: "http://127.0.0.1:4318" }')).toEqual(usual);
});

test('an endpoint with a path is taken as it is, with the fields that go with each post', () => {
  const headers = { Authorization: 'Basic abc=', 'X-Scope-OrgID': '1' };
  const traces = tracesOf(
    '{ endpoint: "https://t.test/otlp/a", headers: { Authorization: Basic abc=, X-Scope-OrgID: 1 } }',
  );
  expect(traces).toMatchObject({ endpoint: 'https://t.test/otlp/a', headers });
});

describe('an endpoint that is none is refused, and not printed where it may hold a secret', () => {
  test.each(['127.0.0.1:4318', 'grpc://t:4317', 'http://u:secret@t:4318', 'http://t:4318/?key=secret', 'http://'])(
    '%s',
    (endpoint) => {
      const problems = problemsOf(aroundFile(`traces: { endpoint: "${endpoint}" }`));
      expect(problems).toEqual([
        expect.stringContaining('traces.endpoint: expected a URL such as http://127.0.0.1:4318'),
      ]);
      expect(problems.join()).not.toContain('secret');
    },
  );
});

test('a value of a header that cannot be sent is refused unprinted', () => {
  const problems = problemsOf(aroundFile('traces: { headers: { A: "secret\\n" } }'));
  expect(problems).toEqual([expect.stringContaining('traces.headers.A: expected printable ASCII')]);
  expect(problems.join()).not.toContain('secret');
});
