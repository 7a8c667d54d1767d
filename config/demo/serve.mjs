import { createServer } from 'node:http';

/** Serves on the loopback port in PORT; at SIGTERM finishes what is under way and exits. */
export function serve(listener) {
  const server = createServer(listener);
  server.on('error', (error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
  server.listen(Number(process.env.PORT), '127.0.0.1', () => {
    console.log(`process ${process.pid} listens on port ${server.address().port}`);
  });
  process.once('SIGTERM', () => server.close());
  if (process.env.EXIT_WITH_PARENT === '1') exitWithParent();
}

/** Ends this process soon after the one that started it, however that one ended. */
function exitWithParent() {
  const parent = process.ppid;
  const check = () => {
    if (process.ppid !== parent) process.exit();
  };
  setInterval(check, 500).unref();
}

/** Answers with one JSON value. */
export function sendJson(response, status, value) {
  const body = `${JSON.stringify(value, null, 2)}\n`;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
