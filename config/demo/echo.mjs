/** Answers with what arrived: method, target, headers and the whole body. */
import { isUtf8 } from 'node:buffer';
import { sendJson, serve } from './serve.mjs';

/** Largest body that is sent back, bytes. */
const MAX_BODY = 8 * 1024 * 1024;

serve(async (request, response) => {
  const chunks = [];
  let size = 0;
  try {
    for await (const chunk of request) {
      size += chunk.length;
      if (size <= MAX_BODY) chunks.push(chunk);
    }
  } catch {
    // The client went away: nobody is left to answer.
    return;
  }
  if (size > MAX_BODY) {
    sendJson(response, 413, { error: `a body of ${size} bytes is more than the ${MAX_BODY} that are echoed` });
    return;
  }
  const bytes = Buffer.concat(chunks);
  const encoding = isUtf8(bytes) ? 'utf8' : 'base64';
  const { method, url, headers } = request;
  sendJson(response, 200, { method, url, headers, body: { size, encoding, text: bytes.toString(encoding) } });
});
