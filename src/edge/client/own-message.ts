import { STATUS_CODES } from 'node:http';
import { contentOf, fieldsOf, type OwnAnswer } from '../answer/own-answer.ts';

/** The field line that closes a connection behind an answer. */
export const CLOSE = 'Connection: close\r\n';

/** Returns the head of an answer of ours. @param connection the field line of Connection, or nothing */
export function ownHead(answer: OwnAnswer, requestId: string, date: string, connection: string): string {
  const { status } = answer;
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${fieldsOf(answer, requestId, date)}${connection}\r\n`;
}

/** Returns a whole answer of ours behind which the connection closes. */
export function closingMessage(answer: OwnAnswer, requestId: string, date: string): string {
  return ownHead(answer, requestId, date, CLOSE) + contentOf(answer);
}
