/** What a test process holds open: TCP sockets and listeners. */
export function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => /^TCP(SERVER|SOCKET)WRAP$/i.test(kind)).length;
}
