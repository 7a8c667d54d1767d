/** Data of a request that a template may hold. */
export const templateNames = ['client', 'host', 'path', 'query', 'request-id'] as const;
export type TemplateName = (typeof templateNames)[number];

/** A text with places for request data. */
export interface Template {
  /** Texts and, between them, names: always a text first and last. */
  readonly texts: readonly string[];
  readonly names: readonly TemplateName[];
}

/** What goes into the places. */
export type TemplateData = Readonly<Record<TemplateName, string>>;

const PLACE = /\{([A-Za-z][A-Za-z-]*)\}/g;

/** The names in a text (`{name}`) that no template knows. */
export function unknownNames(text: string): string[] {
  const found = [...text.matchAll(PLACE)].map((match) => match[1] as string);
  return found.filter((name) => !(templateNames as readonly string[]).includes(name));
}

/** Takes a text apart. Braces around anything but a known name are text. */
export function parseTemplate(text: string): Template {
  const texts: string[] = [];
  const names: TemplateName[] = [];
  let from = 0;
  for (const match of text.matchAll(PLACE)) {
    const name = templateNames.find((known) => known === match[1]);
    if (name === undefined) continue;
    texts.push(text.slice(from, match.index));
    names.push(name);
    from = match.index + match[0].length;
  }
  texts.push(text.slice(from));
  return { texts, names };
}
