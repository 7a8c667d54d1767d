import { Framing } from '../http1/framing.ts';
import type { ResponseHead } from '../http1/response.ts';
import { CodedAnswer, type CodedOwner, type CodedWriter } from './coded-answer.ts';
import { codedFields, validatedFields, variedFields } from './coded-fields.ts';
import type { CompressionCounts } from './compression-counts.ts';
import type { CompressionLimit } from './compression-limit.ts';
import type { CodableRequest, CompressionRule } from './compression-rule.ts';

const NOT_MODIFIED = 304;

/** An answer on a route with compression. */
interface Begun {
  readonly owner: CodedOwner;
  readonly rule: CompressionRule;
  readonly request: CodableRequest;
  readonly writer: CodedWriter;
  readonly response: ResponseHead;
  /** Field lines that are added to those of the response. */
  readonly added: string;
  readonly limit: CompressionLimit;
  readonly counts: CompressionCounts;
}

/**
 * Writes the head of an answer, or leaves that to what codes its content.
 * @returns what the content has to go through; undefined: it is sent as it is
 */
export function beginAnswer(begun: Begun): CodedAnswer | undefined {
  const { owner, rule, request, writer, response, added } = begun;
  const { head, status, framing } = response;
  const coding = rule.choose(request, response);
  if (coding === 'plain') {
    writer.head(response, added);
  } else if (status === NOT_MODIFIED) {
    writer.head(response, validatedFields(head, added, request.head.list('if-none-match')));
  } else if (coding === 'identity') {
    writer.head(response, variedFields(head, added));
  } else if (framing !== Framing.NONE) {
    return new CodedAnswer(owner, { ...begun, coding });
  } else {
    // The answer to a HEAD: how long the coded content would be is not known.
    response.lengthSent = false;
    writer.head(response, codedFields(head, added, coding));
  }
  return undefined;
}
