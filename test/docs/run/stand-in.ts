import type { DockerCall } from '../../support/docker-api.ts';
import { buildAppImage } from '../../support/images.ts';

const IMAGE = 'pilotlight-test/page:1';
/** Listens where the services of the pages do, and says by HTTP in which container it is. */
const PROGRAM = `
  process.on('SIGTERM', () => process.exit());
  require('node:http').createServer((_, out) => out.end(require('node:os').hostname())).listen(80);
  for (const port of [5432, 6379]) require('node:net').createServer((socket) => socket.end()).listen(port);
`;

/** An image in the place of those that pages name: no registry is asked. Returns its tag. */
export function standIn(docker: DockerCall): Promise<string> {
  return buildAppImage(docker, { tag: IMAGE, files: {}, cmd: ['node', '-e', PROGRAM] });
}
