// The least that ends TLS on Node, on PORT with the certificate CERT: a request per connection, answered by itself, or
// with TARGET (a port) by what listens there, on kept connections. It understands nothing of HTTP.
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

const { PORT, CERT, SUITE, TARGET } = process.env;
const pem = readFileSync(CERT);
const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
const HEAD_END = '\r\n\r\n';
const CONTENT = 64;
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Length: ${CONTENT}${HEAD_END}${'x'.repeat(CONTENT)}`;
const idle = [];

function connectTarget() {
  const upstream = connect({ port: Number(TARGET), host: '127.0.0.1', noDelay: true });
  upstream.on('error', () => undefined);
  upstream.on('data', (bytes) => {
    upstream.answer += bytes.toString('latin1');
    const head = upstream.answer.indexOf(HEAD_END);
    if (head < 0 || upstream.answer.length < head + HEAD_END.length + CONTENT) return;
    idle.push(upstream);
    end(upstream.client, upstream.answer);
  });
  return upstream;
}

function end(client, answer) {
  client.end(answer.replace(HEAD_END, `\r\nConnection: close${HEAD_END}`));
}

function onRequest() {
  if (TARGET === undefined) {
    end(this, ANSWER);
    return;
  }
  const upstream = idle.pop() ?? connectTarget();
  upstream.client = this;
  upstream.answer = '';
  upstream.write(REQUEST);
}

function onEnd() {
  this.destroySoon();
}

function ignore() {}

const secure = createTlsServer(
  {
    cert: pem,
    key: pem,
    minVersion: 'TLSv1.3',
    ciphers: SUITE,
    allowHalfOpen: true,
    ALPNProtocols: ['h2', 'http/1.1'],
    SNICallback: (_name, done) => done(null, undefined),
  },
  (client) => client.on('error', ignore).on('data', onRequest).on('end', onEnd),
).on('tlsClientError', ignore);

/** The first byte tells TLS from what is not, as it does for whoever answers both. */
function onFirstBytes(bytes) {
  this.pause();
  this.off('data', onFirstBytes);
  this.unshift(bytes);
  secure.emit('connection', this);
}

createServer({ allowHalfOpen: true }, (socket) => {
  socket.setNoDelay(true);
  socket.on('error', ignore).on('data', onFirstBytes);
}).listen(Number(PORT), '127.0.0.1', 4096);
