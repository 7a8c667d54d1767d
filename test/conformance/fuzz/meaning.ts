import { type Message, valuesOf, withoutOws } from '../harness/message.ts';

export type FieldLine = [name: string, value: string];

/** What a request says, however it was written. */
export interface RequestMeaning {
  method: string;
  /** As it stands in the request line. */
  target: string;
  /** HTTP/1.0. */
  old: boolean;
  fields: FieldLine[];
  body: string;
  trailers: FieldLine[];
}

/** What a response says, as far as it goes. */
export interface ResponseMeaning {
  status: number;
  reason: string;
  fields: FieldLine[];
  body: string;
  trailers: FieldLine[];
  interim: Pick<ResponseMeaning, 'status' | 'reason' | 'fields'>[];
  ending: 'complete' | 'truncated';
}

/** Node's flat lists of names and values. */
export function pairs(flat: readonly string[]): FieldLine[] {
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[index * 2] ?? '', flat[index * 2 + 1] ?? '']);
}

export function requestMeaning(message: Message): RequestMeaning {
  const [method = '', target = '', version] = message.line.split(' ');
  const { fields, body, trailers } = message;
  return { method, target, old: version === 'HTTP/1.0', fields, body, trailers };
}

/** Elements of all fields of a name, lower case (RFC 9110 §5.6.1). */
export function listOf(fields: readonly FieldLine[], name: string): string[] {
  const elements = valuesOf(fields, name).flatMap((value) => value.split(','));
  return elements.map((each) => withoutOws(each).toLowerCase()).filter((each) => each !== '');
}

/** Whether the sender wants the connection closed behind the message (RFC 9112 §9.3). */
export function closes(message: Pick<RequestMeaning, 'old' | 'fields'>): boolean {
  const options = listOf(message.fields, 'connection');
  return options.includes('close') || (message.old && !options.includes('keep-alive'));
}
