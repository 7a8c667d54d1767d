/** What an element may be given: attributes; `on…` are listeners, `false` and undefined leave it out. */
type Properties = Record<string, string | number | boolean | undefined | ((event: Event) => void)>;

type Child = Node | string | undefined | false;

/** Makes an element with attributes, listeners and children; text stays text. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child !== undefined && child !== false) element.append(child);
  return element;
}

/** Sets a text where it is another one: what does not change costs no layout. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets an attribute where it has another value. */
export function setAttribute(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** The element of an id that the page has. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`no element #${id}`);
  return element;
}

/** A part of a page that follows its data. */
export interface Part<Data> {
  readonly element: HTMLElement;
  update(data: Data): void;
}

/** Children of an element, one for each of a list that changes; those that stay are kept, with their focus. */
export class KeyedList<Data> {
  readonly #parent: HTMLElement;
  readonly #keyOf: (data: Data) => string;
  readonly #create: (data: Data) => Part<Data>;
  readonly #parts = new Map<string, { part: Part<Data>; shown: Data | undefined }>();

  constructor(parent: HTMLElement, keyOf: (data: Data) => string, create: (data: Data) => Part<Data>) {
    this.#parent = parent;
    this.#keyOf = keyOf;
    this.#create = create;
  }

  /** Shows these, in this order. One that is the same object as before is left alone. */
  show(list: readonly Data[]): void {
    const keys = new Set(list.map(this.#keyOf));
    for (const [key, { part }] of this.#parts) {
      if (keys.has(key)) continue;
      part.element.remove();
      this.#parts.delete(key);
    }
    let next = this.#parent.firstElementChild;
    for (const data of list) {
      const key = this.#keyOf(data);
      let known = this.#parts.get(key);
      if (known === undefined) {
        known = { part: this.#create(data), shown: undefined };
        this.#parts.set(key, known);
      }
      const { part } = known;
      if (known.shown !== data) part.update(data);
      known.shown = data;
      if (part.element === next) next = next.nextElementSibling;
      else this.#parent.insertBefore(part.element, next);
    }
  }
}

/** A table whose body is filled by rows of cells; wide ones scroll within their own frame. */
export function tableOf(caption: string, heads: readonly string[]): { element: HTMLElement; body: HTMLElement } {
  const body = h('tbody');
  const element = h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    h(
      'table',
      {},
      h('caption', { class: 'hidden' }, caption),
      h('thead', {}, h('tr', {}, ...heads.map((head) => h('th', { scope: 'col' }, head)))),
      body,
    ),
  );
  return { element, body };
}

/** A row of text cells whose texts follow the data; the first one heads it. */
export function textRow<Data>(cellsOf: (data: Data) => readonly string[], data: Data): Part<Data> {
  const cells = cellsOf(data).map((_, index) => h(index === 0 ? 'th' : 'td', index === 0 ? { scope: 'row' } : {}));
  return {
    element: h('tr', {}, ...cells),
    update(next) {
      for (const [index, text] of cellsOf(next).entries()) {
        const cell = cells[index];
        if (cell !== undefined) setText(cell, text);
      }
    },
  };
}
