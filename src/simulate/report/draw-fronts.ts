import type { PageDocument, PlotMaker } from './draw.ts';

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
  const ink = () => page.defaultView?.getComputedStyle(page.body).color ?? '#111';
  const axis = { stroke: ink, grid: { stroke: '#88888840', width: 1 }, ticks: { stroke: '#88888880', width: 1 } };
  for (const { title, waited, lines } of plots) {
    const column = page.createElement('section');
    column.className = 'column';
    root?.append(column);
    new UPlot(
      {
        title,
        width: Math.max(240, Math.min(560, column.clientWidth)),
        height: 320,
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
  }
}
