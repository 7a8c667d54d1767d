import type { Socket } from 'node:net';
import type { AccessRecord } from '../../model/access.ts';
import { type RefusalCode, refusals, ruleOf } from '../../model/refusals.ts';
import type { ListenLimits } from '../../model/settings.ts';
import { unreadableRecord } from '../answer/access-record.ts';
import { type OwnAnswer, refusalAnswer } from '../answer/own-answer.ts';
import type { Peer } from '../exchange/downstream.ts';
import { Fault, type FaultText, strangerRequest } from '../http1/faults.ts';
import { hasBareLineFeed } from '../http1/head-finder.ts';
import { TCHAR } from '../io/http-syntax.ts';
import { UNEXPECTED_MESSAGE } from '../io/tls-alert.ts';
import type { ClientContext } from './context.ts';

/** The value of Accept in a head that was not, or could not be, read. */
const ACCEPT = /\r\naccept:([^\r\n]*)/i;

/** Why bytes make no request. */
export interface Unread {
  code: RefusalCode;
  fault: FaultText | undefined;
}

/** Writes the answer to bytes that make no request. */
interface UnreadWriter {
  readonly bytes: number;
  readonly headBytes: number;
  /** @param isHead they began as a HEAD request */
  ownToUnread(answer: OwnAnswer, requestId: string, date: string, isHead: boolean): void;
}

/** Tells a client that speaks TLS to a port in clear text so, by what it understands: an alert in place of an answer. */
export class AlertWriter implements UnreadWriter {
  bytes = 0;
  readonly headBytes = 0;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  ownToUnread(): void {
    this.#socket.write(UNEXPECTED_MESSAGE);
    this.bytes = UNEXPECTED_MESSAGE.length;
  }
}

/**
 * Returns why the beginning of a head cannot become a request, so that nobody waits for its end; undefined: it still
 * can.
 * @param checked so much was looked at before, so that a head that comes byte by byte is not read through each time
 */
export function hopeless(text: string, checked: number, limits: ListenLimits): Unread | undefined {
  // This is something else, such as TLS.
  if (TCHAR[text.charCodeAt(0)] !== 1) return { code: 'BAD_REQUEST', fault: strangerRequest(text) };
  if (hasBareLineFeed(text, Math.max(0, checked - 3))) return { code: 'BAD_REQUEST', fault: Fault.BARE_LF };
  return text.length > limits.head ? { code: tooLarge(text, limits), fault: undefined } : undefined;
}

/** Tells which part of a head is too large. */
export function tooLarge(text: string, limits: ListenLimits): RefusalCode {
  const lineEnd = text.indexOf('\r\n');
  return lineEnd < 0 || lineEnd > limits.target ? 'TARGET_TOO_LONG' : 'HEAD_TOO_LARGE';
}

/**
 * Answers bytes that make no request, and records them.
 * @param text what came of the head; even a broken one may tell in which form its sender wants the answer
 * @param version of HTTP that they came in
 */
export function answerUnread(
  { code, fault }: Unread,
  text: string,
  version: AccessRecord['version'],
  writer: UnreadWriter,
  peer: Peer,
  context: ClientContext,
): void {
  const { unrouted, access, clock } = context;
  const { status } = refusals[code];
  unrouted.set(status, (unrouted.get(status) ?? 0) + 1);
  const requestId = context.requestId();
  const answer = refusalAnswer(code, { requestId, retryAfterMs: undefined, accept: ACCEPT.exec(text)?.[1] });
  writer.ownToUnread(answer, requestId, context.date(), text.startsWith('HEAD '));
  const { bytes: bytesOut, headBytes: headOut } = writer;
  const facts = { version, requestId, status, bytesOut, headOut, refusal: code, reason: fault ?? ruleOf(code) };
  access?.write(unreadableRecord(peer, facts, clock.wall()));
}
