import {
  Client,
  credentials,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';

// A service of gRPC that echoes bytes, for tests. As a program it listens on PORT, LISTEN_MS after its start.

export type Bytes = Buffer;
const same = (bytes: Bytes): Bytes => bytes;

function method(name: string, requestStream: boolean, responseStream: boolean): MethodDefinition<Bytes, Bytes> {
  return {
    path: `/echo.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

export const methods = {
  /** The message, and the metadata that came with it. */
  one: method('one', false, false),
  /** All messages as one. */
  gather: method('gather', true, false),
  /** Asked for `COUNT SIZE`: so many messages of so many bytes. */
  scatter: method('scatter', false, true),
  /** Each message as it comes. */
  talk: method('talk', true, true),
  /** The status that the message names. */
  fail: method('fail', false, false),
  /** No answer. */
  never: method('never', false, false),
};

/** What the service saw. */
export interface Seen {
  metadata: Record<string, unknown>[];
  /** Calls that talk. */
  talks: number;
  /** Calls that are never answered. */
  unanswered: number;
  cancelled: number;
}

export interface Echo {
  server: Server;
  port: number;
  seen: Seen;
}

/** Starts the service. @param port 0: a free one */
export async function serveEcho(port = 0): Promise<Echo> {
  const seen: Seen = { metadata: [], talks: 0, unanswered: 0, cancelled: 0 };
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  server.addService(methods, {
    one(call: ServerUnaryCall<Bytes, Bytes>, done: sendUnaryData<Bytes>) {
      seen.metadata.push(call.metadata.getMap());
      const trailers = call.metadata.clone();
      call.sendMetadata(call.metadata);
      done(null, call.request, trailers);
    },
    gather(call: ServerReadableStream<Bytes, Bytes>, done: sendUnaryData<Bytes>) {
      const pieces: Bytes[] = [];
      call.on('data', (piece: Bytes) => pieces.push(piece));
      call.on('end', () => done(null, Buffer.concat(pieces)));
    },
    scatter(call: ServerWritableStream<Bytes, Bytes>) {
      const [count = 0, size = 0] = call.request.toString().split(' ').map(Number);
      let sent = 0;
      const more = () => {
        while (sent < count) {
          sent++;
          if (!call.write(Buffer.alloc(size, sent))) {
            call.once('drain', more);
            return;
          }
        }
        call.end();
      };
      more();
    },
    talk(call: ServerDuplexStream<Bytes, Bytes>) {
      seen.talks++;
      call.on('data', (piece: Bytes) => call.write(piece));
      call.on('end', () => call.end());
    },
    fail(call: ServerUnaryCall<Bytes, Bytes>, done: sendUnaryData<Bytes>) {
      done({ code: Number(call.request.toString()), details: 'as you wish' });
    },
    never(call: ServerUnaryCall<Bytes, Bytes>) {
      seen.unanswered++;
      call.on('cancelled', () => seen.cancelled++);
    },
  });
  const bound = await new Promise<number>((resolve, reject) => {
    const done = (error: Error | null, at: number) => (error === null ? resolve(at) : reject(error));
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), done);
  });
  return { server, port: bound, seen };
}

/** A client of a service that answers at this port, under this host. */
export function echoClient(port: number, host: string): Client {
  const options = {
    'grpc.default_authority': host,
    'grpc.enable_retries': 0,
    'grpc.max_receive_message_length': -1,
    'grpc.use_local_subchannel_pool': 1,
  };
  return new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options);
}

if (process.argv[1] === import.meta.filename) {
  setTimeout(() => void serveEcho(Number(process.env['PORT'])), Number(process.env['LISTEN_MS'] ?? 0));
  process.on('SIGTERM', () => process.exit(0));
}
