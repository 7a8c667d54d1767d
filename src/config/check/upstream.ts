import { isSocketPath } from '../../util/host-port.ts';
import type { Path } from '../read/path.ts';
import type { ServiceConfig } from '../schema/service.ts';
import type { Report } from './report.ts';

/** How replicas are spoken to: what does not go together. */
export function checkUpstream(service: ServiceConfig, base: Path, report: Report): void {
  const { protocol, tls, proxyProtocol } = service.upstream;
  const path: Path = [...base, 'upstream'];
  if (tls?.key !== undefined && tls.cert === undefined) {
    report.problem([[...path, 'tls', 'key'], path], 'means nothing without cert');
  }
  if (tls !== undefined && !tls.verify) {
    report.warning([[...path, 'tls', 'verify'], path], 'anybody on the way to the replicas can be one of them');
  }
  // A service of TCP has no routes, and may have the protocol from the defaults, where it means nothing for it.
  if (service.routes.length > 0 && protocol === 'http2' && proxyProtocol) {
    report.problem(
      [[...path, 'proxyProtocol'], path],
      'does not go with protocol: http2, where one connection serves many clients: they are told apart by X-Forwarded-For',
    );
  }
  if (service.engine === 'http-proxy' && (protocol === 'http2' || tls !== undefined || proxyProtocol)) {
    report.problem(
      [[...base, 'engine'], base],
      'http-proxy speaks HTTP/1.1 in clear text: it does not go with upstream',
    );
  }
  checkSockets(service, base, report);
}

function checkSockets({ endpoints, upstream, engine }: ServiceConfig, base: Path, report: Report): void {
  endpoints.static?.addresses.forEach(({ host }, index) => {
    if (!isSocketPath(host)) return;
    const path = [...base, 'endpoints', 'static', index];
    if (upstream.tls !== undefined) {
      report.problem([[...path, 'address'], path], 'a unix socket is not spoken to by TLS: see upstream.tls');
    }
    if (engine === 'http-proxy') {
      report.problem([[...path, 'address'], path], 'engine: http-proxy does not reach unix sockets');
    }
  });
}
