// The baseline: the http-proxy package with a keep-alive agent, from PORT to TARGET.
import { Agent } from 'node:http';
import httpProxy from 'http-proxy';

httpProxy
  .createProxyServer({ target: process.env.TARGET, agent: new Agent({ keepAlive: true, maxSockets: 256 }), ws: true })
  .on('error', (error, _request, response) => response.end(String(error.code)))
  .listen(Number(process.env.PORT), '127.0.0.1');
