/**
 * Who may still send on a stream that is there (RFC 9113 §5.1): both sides; we alone, as the client has ended its side;
 * the client alone; nobody.
 */
export type StreamState = 'open' | 'half-closed-remote' | 'half-closed-local' | 'closed';

/** `end-received`: the client has ended its side. `end-sent`: we have ended ours. `reset`: either side cut it. */
export type StreamEvent = 'end-received' | 'end-sent' | 'reset';

export function nextState(state: StreamState, event: StreamEvent): StreamState {
  switch (event) {
    case 'end-received':
      return state === 'open' ? 'half-closed-remote' : 'closed';
    case 'end-sent':
      return state === 'open' ? 'half-closed-local' : 'closed';
    default:
      return 'closed';
  }
}

/** Whether the client may still send content and trailers. */
export function mayReceive(state: StreamState): boolean {
  return state === 'open' || state === 'half-closed-local';
}
