import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { pairs, type ResponseMeaning } from './meaning.ts';
import { Tape } from './tape.ts';

const MAX_HEAD_BYTES = 1024 * 1024;

interface NodeResponse extends ResponseMeaning {
  /** Node has not just seen the end of the bytes, but refused to read on. */
  refused: boolean;
}

/**
 * Reads what a server sent in answer to one request (Latin-1) with node:http's strict parser; the bytes end with the
 * connection. Undefined: no head of a final response that Node can read, or a change of protocols.
 */
export function readResponseByNode(text: string, method: string): Promise<NodeResponse | undefined> {
  return new Promise((resolve) => {
    const tape = new Tape(text);
    const interim: ResponseMeaning['interim'] = [];
    let final: IncomingMessage | undefined;
    let body = '';
    let refused = false;
    const note = (error: NodeJS.ErrnoException) => {
      refused ||= error.code?.startsWith('HPE_') === true && error.code !== 'HPE_INVALID_EOF_STATE';
    };
    const asking: ClientRequest = request({
      createConnection: () => tape,
      method,
      maxHeaderSize: MAX_HEAD_BYTES,
      insecureHTTPParser: false,
      setHost: false,
    });
    asking.maxHeadersCount = 0;
    asking.on('information', ({ statusCode, statusMessage, rawHeaders }) =>
      interim.push({ status: statusCode, reason: statusMessage, fields: pairs(rawHeaders) }),
    );
    asking.on('upgrade', () => tape.destroy());
    asking.on('response', (response) => {
      final = response;
      response.on('data', (bytes: Buffer) => {
        body += bytes.toString('latin1');
      });
      response.on('error', note);
    });
    asking.on('error', note);
    asking.on('close', () =>
      setImmediate(() => {
        tape.destroy();
        resolve(final === undefined ? undefined : { ...meaningOf(final), body, interim, refused });
      }),
    );
    asking.end();
    tape.play();
  });
}

function meaningOf(message: IncomingMessage): Omit<ResponseMeaning, 'body' | 'interim'> {
  return {
    status: message.statusCode ?? 0,
    reason: message.statusMessage ?? '',
    fields: pairs(message.rawHeaders),
    trailers: pairs(message.rawTrailers),
    ending: message.complete ? 'complete' : 'truncated',
  };
}
