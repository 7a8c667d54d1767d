import type uPlotType from 'uplot';
import { h, setAttribute } from './dom.ts';
import { duration, rate, timeOfDay } from './format.ts';
import type { History, SeriesName } from './history.ts';

/** A classic script of the page brings it. */
declare const uPlot: typeof uPlotType;

interface Line {
  of: SeriesName;
  label: string;
  /** Name of a custom property of the style sheet. */
  colour: string;
  dashed?: true;
}

interface ChartSpec {
  title: string;
  lines: readonly Line[];
  format: (value: number) => string;
}

const CHARTS: readonly ChartSpec[] = [
  {
    title: 'Requests per second',
    format: rate,
    lines: [
      { of: 'arrivals', label: 'arrivals', colour: '--blue' },
      { of: 'good', label: 'good answers', colour: '--green' },
      { of: 'errors', label: 'errors', colour: '--red' },
      { of: 'shed', label: 'turned away', colour: '--orange', dashed: true },
    ],
  },
  {
    title: 'Time to first byte',
    format: duration,
    lines: [
      { of: 'p50', label: 'p50', colour: '--green' },
      { of: 'p95', label: 'p95', colour: '--blue' },
      { of: 'p99', label: 'p99', colour: '--grey' },
      { of: 'above', label: 'slow from', colour: '--red', dashed: true },
    ],
  },
  {
    title: 'Requests now',
    format: String,
    lines: [
      { of: 'inFlight', label: 'in flight', colour: '--blue' },
      { of: 'held', label: 'held', colour: '--orange' },
    ],
  },
  {
    title: 'Replicas',
    format: String,
    lines: [
      { of: 'ready', label: 'ready', colour: '--green' },
      { of: 'starting', label: 'starting', colour: '--orange', dashed: true },
    ],
  },
];
const HEIGHT = 170;
const SPAN_SECONDS = 120;

/** What was seen of a service over the last two minutes, as lines that move. */
export class Charts {
  readonly element = h('div', { class: 'charts' });
  #charts: { spec: ChartSpec; box: HTMLElement; plot: uPlotType }[] = [];
  readonly #resize = new ResizeObserver(() => {
    for (const { box, plot } of this.#charts) {
      if (box.clientWidth > 0 && box.clientWidth !== plot.width)
        plot.setSize({ width: box.clientWidth, height: HEIGHT });
    }
  });
  readonly #repaint = () => this.#paint();
  #isPainted = false;

  constructor() {
    // The theme may change by the button of the page, too.
    document.addEventListener('themechange', this.#repaint);
  }

  /** @param now seconds since the epoch: the right end */
  update(history: History, now: number): void {
    if (!this.#isPainted) this.#paint();
    for (const { spec, box, plot } of this.#charts) {
      const columns = history.columns(spec.lines.map(({ of }) => of));
      plot.batch(() => {
        plot.setData(columns as uPlotType.AlignedData, false);
        plot.setScale('x', { min: now - SPAN_SECONDS, max: now });
      });
      const values = spec.lines.map(({ label }, index) => {
        const last = columns[index + 1]?.at(-1);
        return `${label} ${last === null || last === undefined ? 'none' : spec.format(last)}`;
      });
      setAttribute(box, 'aria-label', `${spec.title}: ${values.join(', ')}`);
    }
  }

  close(): void {
    document.removeEventListener('themechange', this.#repaint);
    this.#clear();
  }

  #paint(): void {
    this.#clear();
    this.#isPainted = true;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    for (const spec of CHARTS) {
      const box = h('div', { class: 'plot', role: 'img', 'aria-label': spec.title });
      this.element.append(h('figure', {}, h('figcaption', {}, spec.title), box));
      const axis = {
        stroke: colour('--faint-ink'),
        grid: { stroke: colour('--line'), width: 1 },
        ticks: { show: false },
      };
      const plot = new uPlot(
        {
          width: box.clientWidth || 300,
          height: HEIGHT,
          legend: { live: false },
          cursor: { drag: { x: false, y: false } },
          scales: { y: { range: (_plot, _least, most) => [0, Math.max(1, most * 1.1)] } },
          axes: [
            { ...axis, size: 30, space: 70, values: (_plot, seconds) => seconds.map(timeOfDay) },
            { ...axis, size: 62, values: (_plot, ticks) => ticks.map((tick) => spec.format(tick)) },
          ],
          series: [
            {},
            ...spec.lines.map(({ label, colour: name, dashed }) => ({
              label,
              stroke: colour(name),
              width: 1.5,
              points: { show: false },
              ...(dashed ? { dash: [5, 4] } : {}),
            })),
          ],
        },
        [[], ...spec.lines.map(() => [])],
        box,
      );
      this.#charts.push({ spec, box, plot });
      this.#resize.observe(box);
    }
  }

  #clear(): void {
    this.#resize.disconnect();
    for (const { plot } of this.#charts) plot.destroy();
    this.#charts = [];
    this.element.replaceChildren();
  }
}
