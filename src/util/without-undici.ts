/** What `node:http` exports besides, from undici. */
const FROM_UNDICI = ['WebSocket', 'CloseEvent', 'MessageEvent'];

/**
 * Takes out of `node:http` what nobody here uses of it. An import of it as a module asks each export for its value, and
 * these load undici for theirs, which every command would pay for.
 */
export function leaveUndiciOut(): void {
  const http = process.getBuiltinModule('node:http');
  for (const name of FROM_UNDICI) Reflect.deleteProperty(http, name);
}
