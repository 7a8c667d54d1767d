import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../../test/support/free-port.ts';
import { startPinned, untilListening } from '../../support/process.ts';
import { STREAM_MODULE } from '../tools.ts';
import { nginxHttp, nginxMain } from '../upstreams.ts';
import { GROUP, type Ground, SUITE, type Subject, subject } from './subject.ts';

/** nginx with one worker. Of TLS it gives out session tickets by itself. */
export async function startNginx(ground: Ground): Promise<Subject> {
  const { folder, core } = ground;
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  await writeFile(config, ground.speech === 'tcp' ? streamConfig(ground, port) : httpConfig(ground, port));
  const { pid } = startPinned(core, ['nginx', '-c', config, '-e', join(folder, 'nginx.log')]);
  await untilListening(port);
  return subject('nginx', port, pid);
}

function httpConfig({ folder, upstream, speech, certificate }: Ground, port: number): string {
  const tls = `ssl_certificate ${certificate};
    ssl_certificate_key ${certificate};
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites ${SUITE};
    ssl_ecdh_curve ${GROUP};`;
  return `${nginxMain(folder, 'nginx')}
http {
  ${nginxHttp(folder, 'nginx')}
  proxy_max_temp_file_size 0;
  map $http_upgrade $hop { default upgrade; '' ''; }
  upstream app { server 127.0.0.1:${upstream}; keepalive 512; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096 ${speech === 'tls' ? 'ssl http2' : ''};
    ${speech === 'tls' ? tls : ''}
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection $hop;
      proxy_set_header Upgrade $http_upgrade;
    }
  }
}
`;
}

function streamConfig({ folder, upstream }: Ground, port: number): string {
  return `load_module ${STREAM_MODULE};
${nginxMain(folder, 'nginx')}
stream {
  server {
    listen 127.0.0.1:${port} backlog=4096;
    proxy_pass 127.0.0.1:${upstream};
  }
}
`;
}
