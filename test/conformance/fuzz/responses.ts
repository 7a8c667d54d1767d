import * as fc from 'fast-check';
import type { ResponseCase } from '../harness/case.ts';
import { ANSWER_MS } from '../harness/lane.ts';
import { readMessage } from '../harness/message.ts';
import { observe } from '../harness/observe.ts';
import type { Fuzz } from './fuzz.ts';
import { type RequestMeaning, requestMeaning } from './meaning.ts';
import { type Mutation, mutate, mutations } from './mutation.ts';
import { endsByItself, readResponse } from './read-response.ts';
import { question, validResponse } from './response-messages.ts';
import { judgeResponse } from './response-oracle.ts';

interface ResponsesCase {
  question: string;
  text: string;
  mutations: Mutation[];
  /** Where the bytes are cut in two, in hundredths of them; 0: nowhere. */
  cut: number;
  /** What the origin does behind them; it does not stay where a reader has to wait for its end. */
  after: NonNullable<ResponseCase['after']>;
}

/** What an origin answers one request with, valid responses and what is left of them. */
export const responses: Fuzz<ResponsesCase> = {
  name: 'responses',
  cases: fc.record({
    question,
    text: validResponse,
    mutations,
    cut: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(99) }),
    after: fc.constantFrom('stay', 'stay', 'stay', 'close', 'close', 'reset'),
  }),
  // A second attempt would get another answer than the one in question.
  settings: { policy: { retries: { max: 0, budget: 0, idempotent: false } } },
  bytes: (one) => mutate(one.text, one.mutations),
  async try(one, { edge, origin }, neighbour) {
    const respond = responses.bytes(one);
    const cuts = one.cut === 0 ? [] : [Math.ceil((respond.length * one.cut) / 100)];
    const asked = askedIn(one.question);
    const bounded = endsByItself(respond, asked.method);
    const after = one.after === 'stay' && !bounded ? 'close' : one.after;
    const row: ResponseCase = {
      kind: 'response',
      rule: 'either',
      name: '',
      lines: [],
      send: one.question,
      respond,
      after,
    };
    const options = { cuts, answerMs: ANSWER_MS, clean: true };
    const seen = await observe({ port: edge.port, origin }, neighbour, row, options);
    // The connection was used before: where no byte came on it, the question was put again on another.
    if (seen.received.length > 1) return { complaints: [], outcome: 'broken off' };
    const meaning = await readResponse(respond, asked.method);
    const broken = after === 'reset' && !bounded && meaning !== undefined;
    const sent = broken ? { ...meaning, ending: 'truncated' as const } : meaning;
    return judgeResponse(asked, sent, seen, one.mutations.length === 0 && after !== 'reset');
  },
};

function askedIn(text: string): RequestMeaning {
  const reading = readMessage(text, { answers: undefined, ended: true });
  if (reading.state !== 'whole') throw new Error(`not a request: ${text}`);
  return requestMeaning(reading.message);
}
