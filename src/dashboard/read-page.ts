import { ApiError } from './api.ts';
import { h, setText } from './dom.ts';
import type { Page } from './page.ts';

/** How often what such a page shows is read again, ms. */
const EVERY_MS = 15_000;

/**
 * A page of what is read now and then instead of followed.
 * @param read asks for it and returns what to do with the answer
 */
export function readPage(
  title: string,
  content: readonly HTMLElement[],
  read: () => Promise<() => void>,
  everyMs = EVERY_MS,
): Page {
  const status = h('p', { role: 'status', class: 'faint' }, 'Loading…');
  let isClosed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const load = async () => {
    try {
      const show = await read();
      if (isClosed) return;
      show();
      setText(status, '');
    } catch (error) {
      if (error instanceof ApiError) setText(status, `${title} cannot be read: ${error.message}`);
      else throw error;
    } finally {
      // Not before it is answered: of a proxy that stands still the browser would wait for all its connections.
      if (!isClosed) timer = setTimeout(() => void load(), everyMs);
    }
  };
  void load();
  return {
    title,
    element: h('section', {}, h('h1', {}, title), status, ...content),
    update() {},
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
