import * as fc from 'fast-check';
import type { Fuzz } from './fuzz.ts';
import { type Mutation, mutate, mutations } from './mutation.ts';
import { readRequests } from './read-requests.ts';
import { validRequests } from './request-messages.ts';
import { judgeRequests } from './request-oracle.ts';
import { sendRequests } from './request-trial.ts';

interface RequestsCase {
  text: string;
  mutations: Mutation[];
  /** Where the bytes are cut in two, in hundredths of them; 0: nowhere. */
  cut: number;
}

/** Requests on one connection, valid ones and what is left of them. */
export const requests: Fuzz<RequestsCase> = {
  name: 'requests',
  cases: fc.record({
    text: validRequests,
    mutations,
    cut: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(99) }),
  }),
  // Each case ends with the client's FIN, which must not abort what is being answered.
  settings: { policy: { allowHalfOpen: true } },
  bytes: (one) => mutate(one.text, one.mutations),
  async try(one, stage) {
    const text = requests.bytes(one);
    const cuts = one.cut === 0 ? [] : [Math.ceil((text.length * one.cut) / 100)];
    const expectation = await readRequests(text);
    const methods = expectation.requests.map(({ method }) => method);
    const seen = await sendRequests(stage, text, cuts, methods);
    return judgeRequests(expectation, seen, one.mutations.length === 0, stage.edge.port);
  },
};
