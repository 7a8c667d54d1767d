import { type Answer, Client, type ConnectionState } from '../harness/client.ts';
import { ANSWER_MS } from '../harness/lane.ts';
import type { Received } from '../harness/origin.ts';
import type { Cuts } from '../harness/pacing.ts';
import type { Stage } from '../harness/stage.ts';

/** Everything that can be seen of one connection's requests from outside the proxy. */
export interface RequestSighting {
  answers: Answer[];
  /** Bytes behind the answers. */
  rest: string;
  /** Why the client could not make sense of what it got. */
  nonsense: string | undefined;
  /** How the connection stood when all answers were there, and after the client's own end of it. */
  before: ConnectionState;
  after: ConnectionState;
  received: Received[];
  unreadable: string[];
}

/**
 * Sends the bytes on a connection of its own, takes the answers that are due, and ends the sending side: so nothing has
 * to wait for a deadline, whether the proxy takes the bytes for whole requests or not.
 * @param methods of the requests that may be answered
 */
export async function sendRequests(
  { edge, origin }: Stage,
  text: string,
  cuts: Cuts,
  methods: readonly string[],
): Promise<RequestSighting> {
  const client = await Client.open(edge.port);
  const answers: Answer[] = [];
  let nonsense: string | undefined;
  try {
    await client.send(text, cuts);
    for (const method of methods) {
      const answer = await client.answer(method, ANSWER_MS);
      if (answer === undefined) break;
      answers.push(answer);
      if (answer.status >= 400) break;
    }
  } catch (error) {
    nonsense = String(error);
  }
  const before = client.state;
  client.socket.end();
  const after = await client.end(ANSWER_MS);
  const { rest } = client;
  client.close();
  const { received, unreadable } = origin.take();
  return { answers, rest, nonsense, before, after, received, unreadable };
}
