import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type FieldLine, pairs, type RequestMeaning } from './meaning.ts';
import { Tape } from './tape.ts';

/** What Node makes of the bytes of one connection. */
interface NodeRequests {
  requests: RequestMeaning[];
  /** What comes behind them: nothing that Node looks at, the beginning of a request, or what it refuses to read. */
  rest: 'none' | 'partial' | 'refused';
}

interface Session {
  messages: Pending[];
  error: string | undefined;
}

interface Pending {
  message: IncomingMessage;
  body: string;
}

const MAX_HEAD_BYTES = 1024 * 1024;

const sessions = new Map<Duplex, Session>();

/** Never listens: connections are handed to it. It answers nothing; limits are the proxy's to find, not its. */
const server = createServer({ requireHostHeader: false, maxHeaderSize: MAX_HEAD_BYTES, insecureHTTPParser: false });
server.maxHeadersCount = 0;
server.keepAliveTimeout = 0;
server.on('request', record);
server.on('checkContinue', record);
server.on('checkExpectation', record);
server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
  const session = sessions.get(socket);
  if (session !== undefined) session.error ??= error.code ?? error.message;
});
// An end of the bytes would abort what it has not handed out yet.
Object.assign(server, { httpAllowHalfOpen: true });

function record(message: IncomingMessage): void {
  const pending: Pending = { message, body: '' };
  sessions.get(message.socket)?.messages.push(pending);
  message.on('data', (bytes: Buffer) => {
    pending.body += bytes.toString('latin1');
  });
  message.on('error', () => {});
}

/** Reads what a client sent on one connection (Latin-1) with node:http's strict parser. */
export function readRequestsByNode(text: string): Promise<NodeRequests> {
  return new Promise((resolve) => {
    const tape = new Tape(text);
    const session: Session = { messages: [], error: undefined };
    sessions.set(tape, session);
    tape.on('error', () => {});
    tape.on('end', () =>
      setImmediate(() => {
        sessions.delete(tape);
        tape.destroy();
        resolve(outcomeOf(session));
      }),
    );
    server.emit('connection', tape);
    tape.play();
  });
}

function outcomeOf({ messages, error }: Session): NodeRequests {
  const requests = messages.filter(({ message }) => message.complete).map(meaningOf);
  if (error === undefined) return { requests, rest: 'none' };
  return { requests, rest: error === 'HPE_INVALID_EOF_STATE' ? 'partial' : 'refused' };
}

function meaningOf({ message, body }: Pending): RequestMeaning {
  const fields: FieldLine[] = pairs(message.rawHeaders);
  return {
    method: message.method ?? '',
    target: message.url ?? '',
    old: message.httpVersion === '1.0',
    fields,
    body,
    trailers: pairs(message.rawTrailers),
  };
}
