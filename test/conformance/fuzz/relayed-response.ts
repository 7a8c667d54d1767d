import { valuesOf } from '../harness/message.ts';
import { type FieldLine, listOf, type RequestMeaning, type ResponseMeaning } from './meaning.ts';

/** Fields that the proxy takes away, or writes itself; all others pass as they are. */
const NOT_PASSED = new Set(
  (
    'connection keep-alive proxy-connection proxy-authenticate proxy-authorization upgrade ' +
    'content-length transfer-encoding'
  ).split(' '),
);
const NO_TRAILER = /^(content-length|transfer-encoding|host|connection|te|trailer|set-cookie|location|cache-control)$/;

/** What is wrong with what the client got of a response that the origin sent as `sent`. */
export function compareResponse(asked: RequestMeaning, sent: ResponseMeaning, got: ResponseMeaning): string[] {
  const complaints: string[] = [];
  const expect = (what: string, is: unknown, should: unknown) => {
    const [one, other] = [JSON.stringify(is), JSON.stringify(should)];
    if (one !== other) complaints.push(`${what} is ${one} instead of ${other}`);
  };
  expect('the status', got.status, sent.status);
  expect('the reason', got.reason, sent.reason);
  const interim = asked.old ? [] : sent.interim;
  const lines = (list: ResponseMeaning['interim']) =>
    list.map((each) => [each.status, each.reason, passing(each.fields)]);
  expect('what comes before', lines(got.interim), lines(interim));
  const fields = passing(sent.fields);
  // Ours, where the origin sent none, come behind all others.
  let ours = 0;
  for (const name of ['x-request-id', 'date']) {
    const sentOf = valuesOf(fields, name).length;
    if (sentOf === 0) ours++;
    expect(`the number of ${name}`, valuesOf(got.fields, name).length, Math.max(1, sentOf));
  }
  const passed = passing(got.fields);
  expect('what passes', passed.slice(0, passed.length - ours), fields);
  return [...complaints, ...compareEnds(sent, got), ...compareTrailers(asked, sent, got)];
}

function compareEnds(sent: ResponseMeaning, got: ResponseMeaning): string[] {
  if (got.ending === 'complete') {
    if (sent.ending === 'truncated') return ['a response that is not whole looks whole'];
    return got.body === sent.body ? [] : [`the body is ${JSON.stringify(got.body)} of ${JSON.stringify(sent.body)}`];
  }
  // Of a message that breaks off, one reader may keep more than another.
  const prefix = sent.body.startsWith(got.body) || (sent.ending === 'truncated' && got.body.startsWith(sent.body));
  return prefix ? [] : [`the body begins with ${JSON.stringify(got.body)}, not as ${JSON.stringify(sent.body)}`];
}

/** Trailers come to a client that takes them; they are neither changed nor dangerous. */
function compareTrailers(asked: RequestMeaning, sent: ResponseMeaning, got: ResponseMeaning): string[] {
  const taken = listOf(asked.fields, 'te').includes('trailers');
  const known = sent.trailers.map(String);
  const foreign = got.trailers.filter((line) => {
    return !taken || NO_TRAILER.test(line[0].toLowerCase()) || !known.includes(String(line));
  });
  return foreign.map((line) => `trailer ${line.join(': ')}`);
}

/** Fields that go through the proxy untouched. */
function passing(fields: readonly FieldLine[]): FieldLine[] {
  const nominated = new Set(listOf(fields, 'connection'));
  return fields.filter(([name]) => !NOT_PASSED.has(name.toLowerCase()) && !nominated.has(name.toLowerCase()));
}
