// Pilotlight within a program of one's own: "npm install pilotlight", then "node server.mjs".
import { createPilotlight } from 'pilotlight';

const app = "require('http').createServer((_, answer) => answer.end('hello\\n')).listen(process.env.PORT)";

const proxy = createPilotlight({
  config: {
    listen: [{ address: process.env.LISTEN ?? '127.0.0.1:8080' }],
    admin: { address: process.env.ADMIN ?? '127.0.0.1:9400' },
    state: process.env.STATE ?? './state',
    services: {
      hello: {
        routes: [{ path: '/' }],
        run: { process: { command: [process.execPath, '-e', app], env: { PORT: '{port}' } } },
      },
    },
  },
});

proxy.events(({ type, message }) => console.log(`${type}: ${message}`));
await proxy.start();
const [address] = proxy.listening;
console.log(`serving on http://${address.host}:${address.port}`);
process.once('SIGTERM', () => proxy.stop());
process.once('SIGINT', () => proxy.stop());
