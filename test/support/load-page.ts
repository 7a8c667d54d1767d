import type { Page, Request } from 'playwright-core';

/** The browser drops what it does where an interface of the machine comes or goes, as those of containers do. */
export const DROPPED = 'net::ERR_NETWORK_CHANGED';
const MOST_TIMES = 10;

/** Goes to a page whose scripts and styles all came: without one of them it would stay as it is for ever. */
export async function loadPage(page: Page, url: string): Promise<void> {
  let isWhole = false;
  const note = (request: Request) => {
    if (request.failure()?.errorText === DROPPED && request.resourceType() !== 'fetch') isWhole = false;
  };
  page.on('requestfailed', note);
  try {
    for (let times = 0; !isWhole; times++) {
      if (times === MOST_TIMES) throw new Error(`${url} does not come whole: ${DROPPED} ${MOST_TIMES} times`);
      isWhole = true;
      // To go to the address where it is already would load nothing.
      const going = times === 0 ? page.goto(url) : page.reload();
      await going.catch((error: Error) => {
        if (!error.message.includes(DROPPED)) throw error;
        isWhole = false;
      });
    }
  } finally {
    page.off('requestfailed', note);
  }
}
