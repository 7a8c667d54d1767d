// A small upstream for load tests: answers every request on PORT with 64 bytes.
import { createServer } from 'node:http';

const body = `${'hello from the upstream '.repeat(3).slice(0, 63)}\n`;
createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length });
  response.end(body);
}).listen(Number(process.env.PORT), '127.0.0.1');
