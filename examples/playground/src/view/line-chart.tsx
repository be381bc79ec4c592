import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

/** A line of a chart. */
export interface ChartLine {
  readonly label: string;
  /** One value for each `x`; `null` where there is none. */
  readonly values: readonly (number | null)[];
  /** Dashes tell lines apart without colour. */
  readonly dash?: readonly number[];
}

interface LineChartProps {
  /** What the chart shows, for who cannot see it. */
  readonly label: string;
  readonly x: readonly number[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly ChartLine[];
}

const HEIGHT = 190;
const COLOURS = ["--mark-0", "--mark-1", "--mark-2"];

/** Lines over a common axis, in the colours of the page; follows its width and theme. */
export function LineChart({ label, x, xLabel, yLabel, lines }: LineChartProps) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = host.current!;
    let chart: uPlot | undefined;
    const draw = () => {
      chart?.destroy();
      const colour = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
      const axis = {
        stroke: colour("--quiet"),
        font: "12px system-ui",
        grid: { stroke: colour("--line"), width: 1 },
      };
      const ticks = { stroke: colour("--line"), width: 1, size: 4 };
      chart = new uPlot(
        {
          width: element.clientWidth,
          height: HEIGHT,
          cursor: { y: false, points: { size: 6 } },
          legend: { show: false },
          scales: { x: { time: false }, y: { range: (_, __, most) => [0, most * 1.1] } },
          axes: [
            { ...axis, ticks, label: xLabel, labelSize: 18, labelFont: "12px system-ui", size: 30 },
            { ...axis, ticks, label: yLabel, labelSize: 18, labelFont: "12px system-ui", size: 40 },
          ],
          series: [
            {},
            ...lines.map(({ label, dash }, index) => ({
              label,
              stroke: colour(COLOURS[index % COLOURS.length]),
              width: 1.5,
              dash: dash === undefined ? undefined : [...dash],
              points: { show: true, size: 4 },
            })),
          ],
        },
        [[...x], ...lines.map(({ values }) => [...values])],
        element,
      );
    };
    const resized = new ResizeObserver(() => chart?.setSize({ width: element.clientWidth, height: HEIGHT }));
    const theme = matchMedia("(prefers-color-scheme: dark)");
    const chosen = new MutationObserver(draw);
    draw();
    resized.observe(element);
    theme.addEventListener("change", draw);
    chosen.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      resized.disconnect();
      chosen.disconnect();
      theme.removeEventListener("change", draw);
      chart?.destroy();
    };
  }, [x, xLabel, yLabel, lines]);
  return (
    <>
      <div ref={host} class="chart" role="img" aria-label={label} />
      <ul class="chart-legend" aria-hidden="true">
        {lines.map(({ label, dash }, index) => (
          <li key={label} data-mark={index % COLOURS.length}>
            <svg viewBox="0 0 28 8" role="presentation">
              <path d="M0 4h28" stroke-dasharray={dash?.join(" ")} />
            </svg>
            {label}
          </li>
        ))}
      </ul>
    </>
  );
}
