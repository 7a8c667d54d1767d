/** Whether a host is the absolute path of a unix socket; its port is 0 then. */
export function isSocketPath(host: string): boolean {
  return host.charCodeAt(0) === 47;
}

/**
 * `host:port` as it is written, in a Host field or a log; IPv6 in brackets (RFC 3986 §3.2.2). Of a unix socket it is
 * `unix:/path`.
 */
export function hostPort({ host, port }: { host: string; port: number }): string {
  if (isSocketPath(host)) return `unix:${host}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
