// Keeps COUNT connections to PORT busy with heads that never end, a byte a second on each; one that is closed is opened
// anew. Says how many are open, and how many were closed by the other side, once a second on standard output.
import { connect } from 'node:net';

const count = Number(process.env.COUNT);
const port = Number(process.env.PORT);
const BEGINNING = 'GET / HTTP/1.1\r\nHost: slow\r\nX-Slow: ';
const TICK_MS = 10;
const TICKS = 1000 / TICK_MS;

let open = 0;
let closed = 0;
const sockets = Array.from({ length: count }, () => undefined);

function start(index) {
  const socket = connect(port, '127.0.0.1', () => open++);
  let sent = 0;
  socket.nextByte = () => socket.write(BEGINNING[sent++] ?? 'x');
  socket.on('error', () => {});
  socket.on('data', () => {});
  socket.on('close', () => {
    open--;
    closed++;
    sockets[index] = undefined;
  });
  sockets[index] = socket;
}

// Each tick serves its share of the connections, so that the bytes are spread over the second.
let tick = 0;
setInterval(() => {
  for (let index = tick % TICKS; index < count; index += TICKS) {
    if (sockets[index] === undefined) start(index);
    else if (sockets[index].readyState === 'open') sockets[index].nextByte();
  }
  if (++tick % TICKS === 0) console.log(`${open} ${closed}`);
}, TICK_MS);
