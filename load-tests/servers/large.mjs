// An upstream of large bodies on PORT. GET /N answers N bytes, chunked where the path ends with /chunked; POST answers
// how many bytes came and their CRC-32.
import { createServer } from 'node:http';
import { crc32 } from 'node:zlib';

const piece = Buffer.alloc(256 * 1024, 'what a large body is made of, over and over again; ');

createServer((request, response) => {
  if (request.method === 'POST') receive(request, response);
  else send(request, response);
}).listen(Number(process.env.PORT), '127.0.0.1');

function receive(request, response) {
  let bytes = 0;
  let sum = 0;
  request.on('data', (chunk) => {
    bytes += chunk.length;
    sum = crc32(chunk, sum);
  });
  request.on('end', () => response.end(`${bytes} ${sum}`));
}

function send(request, response) {
  const [, size, chunked] = request.url.split('/');
  let left = Number(size);
  response.writeHead(200, chunked === undefined ? { 'content-length': left } : {});
  const more = () => {
    while (left > 0) {
      const next = left < piece.length ? piece.subarray(0, left) : piece;
      left -= next.length;
      if (!response.write(next)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}
