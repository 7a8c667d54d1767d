import { STATUS_CODES } from 'node:http';
import { contentOf, fieldsOf, type OwnAnswer } from '../answer/own-answer.ts';

/** The field line that closes a connection behind an answer. */
export const CLOSE = 'Connection: close\r\n';

/** The head of an answer of ours. @param connection the field line that says whether the connection is kept, or nothing */
export function ownHead(answer: OwnAnswer, requestId: string, date: string, connection: string): string {
  const { status } = answer;
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${fieldsOf(answer, requestId, date)}${connection}\r\n`;
}

/** A whole answer of ours, behind which the connection closes, for a socket that is no more than that. */
export function closingMessage(answer: OwnAnswer, requestId: string, date: string): string {
  return ownHead(answer, requestId, date, CLOSE) + contentOf(answer);
}
