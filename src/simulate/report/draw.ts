import type { Column, Mark, Plot } from './plots.ts';

/** As much of a browser's element as is needed. */
export interface PageElement {
  className: string;
  textContent: string | null;
  tabIndex: number;
  readonly clientWidth: number;
  readonly style: Record<string, string>;
  append(...children: PageElement[]): void;
}

/** As much of a browser's document as is needed. */
export interface PageDocument {
  readonly body: PageElement;
  readonly defaultView: PageWindow | null;
  createElement(tag: string): PageElement;
  getElementById(id: string): PageElement | null;
}

/** As much of a browser's window as is needed. */
export interface PageWindow {
  getComputedStyle(element: PageElement): { readonly color: string };
  matchMedia(query: string): { addEventListener(type: 'change', listener: () => void): void };
  addEventListener(type: 'resize', listener: () => void): void;
}

/** As much of uPlot as is needed. */
export interface Plotted {
  over: PageElement;
  redraw(): void;
  setSize(size: { width: number; height: number }): void;
  valToPos(value: number, scale: string): number;
}

export type PlotMaker = new (
  options: Record<string, unknown>,
  data: readonly (readonly (number | null)[])[],
  target: PageElement,
) => Plotted;

/**
 * Draws the plots into the element `plots`. It runs in the page, as text: nothing from outside of it can be used here.
 * Text gets into the page as text alone.
 */
export function draw(UPlot: PlotMaker, page: PageDocument, columns: readonly Column[]): void {
  const element = (tag: string, className: string, text = ''): PageElement => {
    const made = page.createElement(tag);
    made.className = className;
    if (text !== '') made.textContent = text;
    return made;
  };

  const [widest, height] = [560, 220];
  const view = page.defaultView;
  const ink = () => view?.getComputedStyle(page.body).color ?? '#111';
  const axis = { stroke: ink, grid: { stroke: '#88888840', width: 1 }, ticks: { stroke: '#88888880', width: 1 } };
  const drawn: { plotted: Plotted; target: PageElement }[] = [];
  const widthIn = (target: PageElement) => Math.max(240, Math.min(widest, target.clientWidth));

  const placeMarks = (plotted: Plotted, marks: readonly Mark[]): (() => void) => {
    const placed = marks.map((mark) => {
      const shown = element('div', mark.up ? 'mark up' : 'mark');
      const tip = element('div', 'tip');
      tip.append(...mark.lines.map((line) => element('div', '', line)));
      shown.tabIndex = 0;
      shown.append(tip);
      plotted.over.append(shown);
      return { mark, shown, tip };
    });
    return () => {
      for (const { mark, shown, tip } of placed) {
        const left = plotted.valToPos(mark.second, 'x');
        const width = plotted.over.clientWidth;
        shown.style['left'] = `${left}px`;
        // Zoomed out of sight.
        shown.style['display'] = left < 0 || left > width ? 'none' : 'block';
        // It opens to the side where there is room.
        tip.style[left > width / 2 ? 'right' : 'left'] = '0';
        tip.style[left > width / 2 ? 'left' : 'right'] = 'auto';
      }
    };
  };

  const drawPlot = (plot: Plot, seconds: readonly number[], target: PageElement): void => {
    let place: (() => void) | undefined;
    const plotted = new UPlot(
      {
        title: `${plot.title} (${plot.unit})`,
        width: widthIn(target),
        height,
        cursor: { sync: { key: 'time' } },
        scales: { x: { time: false }, y: { range: [0, plot.most] } },
        axes: [
          { ...axis, values: (_: unknown, ticks: number[]) => ticks.map((tick) => `${tick} s`) },
          { ...axis, size: 60 },
        ],
        series: [
          { label: 'second' },
          ...plot.lines.map(({ label, colour, dashed }) => ({
            label,
            stroke: colour,
            width: 1.5,
            ...(dashed === undefined ? {} : { dash: [6, 4] }),
            points: { show: false },
          })),
        ],
        hooks: {
          draw: [
            (self: Plotted) => {
              place ??= placeMarks(self, plot.marks);
              place();
            },
          ],
        },
      },
      [seconds, ...plot.lines.map(({ values }) => values)],
      target,
    );
    drawn.push({ plotted, target });
  };

  const root = page.getElementById('plots');
  for (const { heading, seconds, plots } of columns) {
    const column = element('section', 'column');
    column.append(element('h2', '', heading));
    root?.append(column);
    for (const plot of plots) drawPlot(plot, seconds, column);
  }
  view?.addEventListener('resize', () => {
    for (const { plotted, target } of drawn) plotted.setSize({ width: widthIn(target), height });
  });
  view?.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const { plotted } of drawn) plotted.redraw();
  });
}
