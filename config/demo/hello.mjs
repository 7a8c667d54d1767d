/** Answers at once: what is slow about its first request is the start. */
import { serve } from './serve.mjs';

serve((request, response) => {
  const body = `Hello from process ${process.pid} on port ${request.socket.localPort}.\n`;
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) });
  response.end(body);
});
