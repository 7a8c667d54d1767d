/**
 * Works on one request at a time, 20 ms each, the others wait in line: its latency grows with the number of concurrent
 * requests, and another replica halves it.
 */
import { sendJson, serve } from './serve.mjs';

const WORK_MS = 20;

let line = Promise.resolve();
let waiting = 0;

serve(async (request, response) => {
  const arrived = performance.now();
  const ahead = waiting++;
  line = line.then(work);
  await line;
  waiting--;
  const tookMs = Math.round(performance.now() - arrived);
  sendJson(response, 200, { process: process.pid, port: request.socket.localPort, ahead, tookMs });
});

function work() {
  return new Promise((done) => setTimeout(done, WORK_MS));
}
