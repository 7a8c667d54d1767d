import type { Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { soon } from '../../wire.ts';

/** A client that speaks TLS. It takes any certificate, and a test looks at which one it was shown. */
export interface TlsClient {
  socket: TLSSocket;
  /** Writes a request and returns what comes until the other side closes, or `Content-Length` bytes of a body. */
  ask(path?: string, fields?: string, host?: string): Promise<string>;
}

/** A connection whose handshake is over. @throws the client's error when it fails */
export async function tlsConnect(port: number, options: ConnectionOptions = {}): Promise<TlsClient> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: 'app.test',
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    ...options,
  });
  onTestFinished(() => void socket.destroy());
  await soon(
    new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed')));
    }),
    'a TLS handshake',
  );
  socket.on('error', () => undefined);
  return {
    socket,
    ask(path = '/', fields = '', host = 'app.test') {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`);
      return soon(readAnswer(socket), `an answer to ${path}`);
    },
  };
}

/** Reads one answer with a `Content-Length`, or to the end. */
export function readAnswer(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const done = () => {
      socket.off('data', onData);
      socket.off('end', done);
      socket.off('close', done);
      resolve(text);
    };
    const onData = (bytes: Buffer) => {
      text += bytes.toString('latin1');
      const head = text.indexOf('\r\n\r\n');
      const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
      if (head >= 0 && length !== undefined && text.length >= head + 4 + Number(length)) done();
    };
    socket.on('data', onData);
    socket.on('end', done);
    socket.on('close', done);
  });
}

/** The names of the certificate that a client was shown. */
export function shown({ socket }: TlsClient): string | undefined {
  return socket.getPeerX509Certificate()?.subjectAltName;
}

/** A session that a client may resume by: TLS 1.2 brings it with the handshake, 1.3 behind it. */
export async function sessionOf({ socket }: TlsClient): Promise<Buffer> {
  const known = socket.getProtocol() === 'TLSv1.2' ? socket.getSession() : undefined;
  if (known !== undefined) return known;
  return soon(new Promise((resolve) => socket.once('session', resolve)), 'a session ticket');
}
