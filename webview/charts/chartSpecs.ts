/** Which charts there are, and which metrics each draws. */
import { metricInfo } from '../../experiments/compare.ts';
import { viewMetrics } from '../../protocol/metrics.ts';
import { t } from '../l10n.ts';
import { codingRateTerm } from './curveStore.ts';

export interface ChartSpec {
  id: string;
  title: string;
  unit: string;
  section: SectionId;
  /** Words for the tooltip and for a screen reader. */
  description: string;
  lines: LineSpec[];
  /** Only drawn when one run is shown: several terms of it share the axis. */
  singleRun?: boolean;
}

export interface LineSpec {
  metric: string;
  label: string;
  /**
   * - `main`: average above the faint raw line
   * - `second`: the same in the next colour
   * - `bound`: dashed, never smoothed
   * - `area`: average with its area to zero filled
   * - `total`: what the areas add up to, in the text's colour
   */
  role: 'main' | 'second' | 'bound' | 'area' | 'total';
  axis: 'left' | 'right';
}

export type SectionId = 'learning' | 'stability' | 'machine' | 'other';

export const sections: { id: SectionId; title: string }[] = [
  { id: 'learning', title: t('Learning') },
  { id: 'stability', title: t('Stability and schedules') },
  { id: 'machine', title: t('Machine') },
  { id: 'other', title: t('Other metrics') },
];

const one = (section: SectionId, metric: string): ChartSpec => {
  const { label, unit, description } = metricInfo(metric);
  return {
    id: metric,
    title: label,
    unit,
    section,
    description,
    lines: [{ metric, label, role: 'main', axis: 'left' }],
  };
};

const builtIn: ChartSpec[] = [
  one('learning', 'loss'),
  one('learning', 'knnTop1'),
  {
    id: 'decomposition',
    title: t('Loss, term by term'),
    unit: '',
    section: 'learning',
    description: t('loss = distance \u2212 gamma \u00d7 coding rate: the two areas add up to the line.'),
    singleRun: true,
    lines: [
      { metric: 'distance', label: t('Distance'), role: 'area', axis: 'left' },
      { metric: codingRateTerm, label: '\u2212\u03b3R', role: 'area', axis: 'left' },
      { metric: 'loss', label: t('Loss'), role: 'total', axis: 'left' },
    ],
  },
  one('learning', 'distance'),
  {
    ...one('learning', 'codingRate'),
    description: t('The coding rate in nats against the largest it can be for this batch, dimension and epsilon.'),
    lines: [
      { metric: 'codingRate', label: t('Coding rate'), role: 'main', axis: 'left' },
      { metric: 'codingRateMax', label: t('Maximum'), role: 'bound', axis: 'left' },
    ],
  },
  {
    ...one('learning', 'effectiveRank'),
    lines: [
      { metric: 'effectiveRank', label: t('Student'), role: 'main', axis: 'left' },
      { metric: 'effectiveRankTeacher', label: t('Teacher'), role: 'second', axis: 'left' },
    ],
  },
  one('stability', 'teacherStudentCosine'),
  one('stability', 'gradientNorm'),
  one('stability', 'lr'),
  {
    id: 'momentumAndDecay',
    title: t('Momentum and weight decay'),
    unit: '',
    section: 'stability',
    description: t('Teacher momentum on the left axis, weight decay on the right.'),
    lines: [
      { metric: 'momentum', label: t('Teacher momentum'), role: 'main', axis: 'left' },
      { metric: 'weightDecay', label: t('Weight decay'), role: 'second', axis: 'right' },
    ],
  },
  one('machine', 'imagesPerSecond'),
  one('machine', 'stepMs'),
  one('machine', 'dataWaitShare'),
  one('machine', 'memoryBytes'),
  one('machine', 'cpuShare'),
  one('machine', 'gpuShare'),
  one('machine', 'gpuMemoryBytes'),
];

/** The charts for what was logged, in reading order; metrics without a chart of their own get a plain one at the end. */
export function chartsFor(logged: ReadonlySet<string>, runCount: number): ChartSpec[] {
  const drawn = builtIn.filter(
    ({ lines, singleRun }) =>
      (!singleRun || runCount === 1) &&
      (singleRun
        ? lines.every(({ metric }) => logged.has(metric) || (metric === codingRateTerm && logged.has('gamma')))
        : logged.has(lines[0]!.metric)),
  );
  const covered = new Set([
    ...builtIn.flatMap(({ lines }) => lines.map(({ metric }) => metric)),
    'gamma',
    codingRateTerm,
  ]);
  const others = [...logged].filter((metric) => !covered.has(metric)).sort();
  // A line of a chart that was never logged is left out of it.
  const present = drawn.map((spec) => ({
    ...spec,
    lines: spec.lines.filter(({ metric }) => logged.has(metric) || metric === codingRateTerm),
  }));
  const ofViews = new Set(others.filter((metric) => viewMetric.test(metric)));
  return [
    ...present,
    ...viewCharts(ofViews, runCount),
    ...others.filter((metric) => !ofViews.has(metric)).map((metric) => one('other', metric)),
  ];
}

const viewMetric = /^([a-z]\w*View)(\d+)$/i;

/** What is measured view by view shares a chart: all views of one run, or the first view of several. */
function viewCharts(logged: ReadonlySet<string>, runCount: number): ChartSpec[] {
  return Object.entries(viewMetrics).flatMap(([stem, { label, unit, description }]) => {
    const views = [...logged]
      .filter((metric) => viewMetric.exec(metric)?.[1] === stem)
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    const shown = runCount > 1 ? views.slice(0, 1) : views;
    if (shown.length === 0) return [];
    return [
      {
        id: stem,
        title: runCount > 1 ? `${label} 1` : `${label}s`,
        unit,
        section: 'stability' as const,
        description,
        lines: shown.map((metric, index) => ({
          metric,
          label: metricInfo(metric).label,
          role: index === 0 ? ('main' as const) : ('second' as const),
          axis: 'left' as const,
        })),
      },
    ];
  });
}
