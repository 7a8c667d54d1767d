/** Keys and list indices from the top of the file. */
export type Path = readonly (string | number)[];

/** `services.shop.routes[0].path`; keys that are no plain words in brackets and quotes. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[\w-]+$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** The key of a setting in the file, which is its name without the unit: `idle` for `idleMs`. */
export function writtenKey(setting: string): string {
  return setting.replace(/Ms$/, '');
}
