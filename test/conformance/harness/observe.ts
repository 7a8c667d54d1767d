import { setTimeout as sleep } from 'node:timers/promises';
import { type Case, PLAIN_GET, type RequestCase, type ResponseCase } from './case.ts';
import { type Answer, Client, type ConnectionState } from './client.ts';
import { askOwn, type Echo, type Lane, type Neighbour } from './lane.ts';
import { valuesOf } from './message.ts';
import type { Received } from './origin.ts';
import { type Cuts, writePaced } from './pacing.ts';

/** Everything that can be seen of one case from outside the proxy. */
export interface Observation {
  /** Where the proxy listens. */
  port: number;
  scheme: 'http' | 'https';
  /** Final answers, in order, and what came behind them. */
  answers: Answer[];
  rest: string;
  /** Why the client could not make sense of what it got. */
  nonsense: string | undefined;
  state: ConnectionState;
  /** Answer of a clean request on the same connection; undefined where it was not open any more, or none was sent. */
  follow: Echo | undefined;
  /** Answer of a clean request on another connection; undefined where none was sent. */
  neighbour: Echo | undefined;
  /** What reached the origin, without the clean requests. */
  received: Received[];
  unfinished: string[];
  unreadable: string[];
  /** Whether the origin's connection served the next request, too; undefined where there was none. */
  upstreamKept: boolean | undefined;
}

interface ObserveOptions {
  /** Where the message in question (the request's or the response's bytes) is cut. */
  cuts: Cuts;
  /** Longest wait for an answer, ms. */
  answerMs: number;
  /** Whether clean requests are sent behind it, by the same client and by another. */
  clean: boolean;
}

/** Runs one case on a lane that nothing else uses at the time. */
export async function observe(
  lane: Lane,
  neighbour: Neighbour,
  one: Case,
  options: ObserveOptions,
): Promise<Observation> {
  lane.origin.take();
  const scripted = one.kind === 'response' ? scriptOrigin(lane, one, options.cuts) : undefined;
  const client = await Client.open(lane.port, lane.tls);
  try {
    return await talk(lane, neighbour, one, client, options, scripted);
  } finally {
    lane.origin.answering = undefined;
    client.close();
  }
}

async function talk(
  lane: Lane,
  neighbour: Neighbour,
  one: Case,
  client: Client,
  { cuts, answerMs, clean: probing }: ObserveOptions,
  scripted: Promise<void> | undefined,
): Promise<Observation> {
  const answers: Answer[] = [];
  let nonsense: string | undefined;
  await client.send(one.send ?? PLAIN_GET, one.kind === 'request' ? cuts : []);
  try {
    for (const method of methodsOf(one)) {
      const answer = await client.answer(method, answerMs);
      if (answer === undefined) break;
      answers.push(answer);
    }
  } catch (error) {
    nonsense = String(error);
  }
  // The clean requests come when all of the origin's bytes are there: what is too many among them must do no harm.
  // A proxy may also have answered without it.
  if (answers.length > 0) await Promise.race([scripted, sleep(answerMs, undefined, { ref: false })]);
  const last = answers.at(-1);
  const mayStay = last !== undefined && last.ending === 'complete' && !announcesClose(last) && nonsense === undefined;
  const state = mayStay ? client.state : await client.end(answerMs);
  const follow = state === 'open' && mayStay && probing ? await askOwn(client, 'follow', answerMs) : undefined;
  const rest = client.rest;
  const near = probing ? await neighbour.ask(answerMs) : undefined;
  const { received, unfinished, unreadable } = lane.origin.take();
  const clean = (each: Received) => valuesOf(each.message.fields, 'host').includes('clean');
  const next = received.find(clean);
  const own = received.filter((each) => !clean(each));
  const upstreamKept = next === undefined || own.length === 0 ? undefined : own.at(-1)?.connection === next.connection;
  return {
    port: lane.port,
    scheme: lane.tls === true ? 'https' : 'http',
    answers,
    rest,
    nonsense,
    state: follow === 'none' ? client.state : state,
    follow,
    neighbour: near,
    received: own,
    unfinished,
    unreadable,
    upstreamKept,
  };
}

/** Lets the origin answer the case's request with the case's bytes. Resolves when they are written. */
function scriptOrigin({ origin }: Lane, one: ResponseCase, cuts: Cuts): Promise<void> {
  return new Promise((resolve) => {
    origin.answering = async (_request, socket) => {
      origin.answering = undefined;
      await writePaced(socket, one.respond, cuts);
      await new Promise<void>((written) => socket.write('', () => written()));
      if (one.after === 'close') socket.end();
      if (one.after === 'reset') socket.resetAndDestroy();
      await new Promise((turned) => setImmediate(turned));
      await new Promise((turned) => setImmediate(turned));
      resolve();
    };
  });
}

/** The methods that the expected answers belong to. */
function methodsOf(one: Case): string[] {
  if (one.kind === 'request' && one.seen !== undefined) {
    return one.refused === undefined ? one.seen.map((each) => each.method) : [methodOf(one)];
  }
  return [methodOf(one)];
}

function methodOf(one: RequestCase | ResponseCase): string {
  return /^(?:\r\n)?(\S+) /.exec(one.send ?? PLAIN_GET)?.[1] ?? 'GET';
}

function announcesClose({ message }: Answer): boolean {
  if (message.framing === 'close') return true;
  return message.fields.some(([name, value]) => name.toLowerCase() === 'connection' && /\bclose\b/i.test(value));
}
