import type { Readable } from 'node:stream';
import { openAnswer } from './admin-client.ts';
import type { AdminTarget } from './admin-target.ts';

/** How long the admin API may take to answer, ms. */
const ANSWER_MS = 2000;
/** More than an event takes, characters. */
const MOST = 16 * 1024;

/** Listens to the events of a running proxy for why it was not upgraded. */
export class UpgradeRefusal {
  /** What the proxy said; undefined while it said nothing, and where it cannot be listened to. */
  reason: string | undefined;

  /** Resolves when it listens, or cannot. Never rejects. @param signal ends it */
  async listen({ url, token }: AdminTarget, signal: AbortSignal): Promise<void> {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), ANSWER_MS);
    try {
      const options = { headers, signal: AbortSignal.any([signal, late.signal]) };
      const answer = await openAnswer(`${url}/v1/events`, options);
      if (answer.statusCode === 200) void this.#read(answer).catch(() => undefined);
      else answer.destroy();
    } catch {
      // Its end is looked for anyway, only not as soon.
    } finally {
      clearTimeout(timer);
    }
  }

  async #read(body: Readable): Promise<void> {
    let text = '';
    for await (const piece of body.setEncoding('utf8')) {
      text = (text + piece).slice(-MOST);
      const data = /^event: upgrade-failed\ndata: (.*)\n$/m.exec(text)?.[1];
      if (data === undefined) continue;
      this.reason = (JSON.parse(data) as { message: string }).message;
      return;
    }
  }
}
