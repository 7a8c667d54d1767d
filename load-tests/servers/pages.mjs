// An upstream for load tests: answers GET /BYTES on PORT with so many bytes of JSON, or of HTML with ?html.
import { createServer } from 'node:http';

const pages = new Map();

function page(bytes, isHtml) {
  let text = isHtml ? '<!doctype html><title>Things</title><ul>\n' : '[';
  for (let i = 0; text.length < bytes; i++) {
    const [id, price, stock] = [(i * 7919) % 100_003, ((i * 104_729) % 9973) / 100, (i * 31) % 57];
    text += isHtml
      ? `<li class="thing"><a href="/things/${id}">Thing ${id}</a> <b>${price} EUR</b>, ${stock} left</li>\n`
      : `{"id":${id},"name":"Thing ${id}","price":${price},"stock":${stock},"tags":["a${i % 13}","b${i % 7}"]},`;
  }
  return Buffer.from(text.slice(0, bytes));
}

createServer((request, response) => {
  request.resume();
  const [path, query] = request.url.split('?');
  const key = request.url;
  if (!pages.has(key)) pages.set(key, page(Number(path.slice(1)), query === 'html'));
  const body = pages.get(key);
  const type = query === 'html' ? 'text/html' : 'application/json';
  response.writeHead(200, { 'content-type': type, 'content-length': body.length });
  response.end(body);
}).listen(Number(process.env.PORT), '127.0.0.1');
