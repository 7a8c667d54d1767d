// Takes every WebSocket on PORT and sends its messages back, those of up to 125 bytes that come in one frame.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

createServer((_request, response) => response.writeHead(426).end())
  .on('upgrade', (request, socket, head) => {
    const accept = createHash('sha1')
      .update(request.headers['sec-websocket-key'] + GUID)
      .digest('base64');
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket'];
    socket.write([...lines, `Sec-WebSocket-Accept: ${accept}`, '', ''].join('\r\n'));
    socket.setNoDelay(true);
    let pending = head;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      pending = echoWhole(pending, socket);
    });
  })
  .listen(Number(process.env.PORT), '127.0.0.1');

/** Answers every whole frame; returns the rest. */
function echoWhole(bytes, socket) {
  let at = 0;
  while (bytes.length >= at + 2) {
    const length = bytes[at + 1] & 127;
    const end = at + 6 + length;
    if (bytes.length < end) break;
    const frame = Buffer.allocUnsafe(2 + length);
    frame[0] = bytes[at];
    frame[1] = length;
    for (let i = 0; i < length; i++) frame[2 + i] = bytes[at + 6 + i] ^ bytes[at + 2 + (i & 3)];
    socket.write(frame);
    at = end;
  }
  return bytes.subarray(at);
}
