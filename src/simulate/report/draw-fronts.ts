import type { PageDocument, PageElement, PlotMaker, Plotted } from './draw.ts';

/** Memory over waiting: a line for the front over all weights, a point for each rival. */
export interface FrontPlot {
  title: string;
  /** What all users waited, rising; what is 0 is no point of a logarithmic scale, and stands as 1. */
  waited: number[];
  lines: { label: string; colour: string; isFront: boolean; memory: (number | null)[] }[];
}

/** Draws the fronts into the element `plots`. It runs in the page, as text: nothing from outside of it can be used here. */
export function drawFronts(UPlot: PlotMaker, page: PageDocument, plots: readonly FrontPlot[]): void {
  const root = page.getElementById('plots');
  const view = page.defaultView;
  const ink = () => view?.getComputedStyle(page.body).color ?? '#111';
  const drawn: { plotted: Plotted; target: PageElement }[] = [];
  const widthIn = (target: PageElement) => Math.max(240, Math.min(560, target.clientWidth));
  const height = 320;
  const axis = { stroke: ink, grid: { stroke: '#88888840', width: 1 }, ticks: { stroke: '#88888880', width: 1 } };
  for (const { title, waited, lines } of plots) {
    const column = page.createElement('section');
    column.className = 'column';
    root?.append(column);
    const plotted = new UPlot(
      {
        title,
        width: widthIn(column),
        height,
        // The figures are in the tables: the points of a line are at no times that others have one at.
        legend: { live: false, markers: { fill: (_: unknown, line: number) => lines[line - 1]?.colour } },
        scales: { x: { time: false, distr: 3 }, y: { distr: 3 } },
        axes: [
          { ...axis, label: 'seconds that all users waited' },
          { ...axis, label: 'memory, GiB × h', size: 70 },
        ],
        series: [
          { label: 'waited' },
          ...lines.map(({ label, colour, isFront }) => ({
            label,
            stroke: colour,
            width: isFront ? 1.5 : 0,
            spanGaps: true,
            points: { show: true, size: isFront ? 4 : 10, fill: colour },
          })),
        ],
      },
      [waited, ...lines.map(({ memory }) => memory)],
      column,
    );
    drawn.push({ plotted, target: column });
  }
  view?.addEventListener('resize', () => {
    for (const { plotted, target } of drawn) plotted.setSize({ width: widthIn(target), height });
  });
  view?.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const { plotted } of drawn) plotted.redraw();
  });
}
