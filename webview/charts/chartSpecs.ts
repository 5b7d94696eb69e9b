/** Which charts there are, and which metrics each draws. */
import { metricInfo } from '../../experiments/compare.ts';
import { metricLabels, type MetricLabel } from '../../experiments/metricLabels.ts';
import { viewMetrics } from '../../protocol/metrics.ts';
import { t } from '../l10n.ts';

export interface ChartSpec {
  id: string;
  title: string;
  unit: string;
  section: SectionId;
  /** Words for the tooltip and for a screen reader. */
  description: string;
  lines: LineSpec[];
}

export interface LineSpec {
  metric: string;
  label: string;
  /** The curve that is drawn in place of the metric's: of an area, its sum with those below, whose edge it is filled to. */
  drawn?: string;
  /**
   * - `main`: average above the faint raw line
   * - `second`: the same in the next colour
   * - `bound`: dashed, never smoothed
   * - `area`: average with its area to zero, or to the area before it, filled
   * - `total`: what the areas add up to, in the text's colour
   */
  role: 'main' | 'second' | 'bound' | 'area' | 'total';
}

export type SectionId = 'learning' | 'objective' | 'stability' | 'machine' | 'other';

/** In a `column`, charts have one width, and their x axes stand below each other. */
export const sections: { id: SectionId; title: string; column?: true }[] = [
  { id: 'learning', title: t('Learning') },
  { id: 'objective', title: t('Objective and schedules'), column: true },
  { id: 'stability', title: t('Stability') },
  { id: 'machine', title: t('Machine') },
  { id: 'other', title: t('Other metrics') },
];

const one = (section: SectionId, metric: string, named: MetricLabel = metricInfo(metric)): ChartSpec => {
  const { unit, description } = metricInfo(metric);
  const { label, title } = named;
  return {
    id: metric,
    title: label,
    unit,
    section,
    description: title === undefined ? description : `${title}. ${description}`,
    lines: [{ metric, label, role: 'main' }],
  };
};

const builtIn: ChartSpec[] = [
  one('objective', 'lr'),
  one('objective', 'momentum'),
  one('objective', 'weightDecay'),
  one('learning', 'loss'),
  one('learning', 'knnTop1'),
  one('learning', 'distance'),
  {
    ...one('learning', 'codingRate'),
    description: t('The coding rate in nats against the largest it can be for this batch, dimension and epsilon.'),
    lines: [
      { metric: 'codingRate', label: t('Coding rate'), role: 'main' },
      { metric: 'codingRateMax', label: t('Maximum'), role: 'bound' },
    ],
  },
  {
    ...one('learning', 'effectiveRank'),
    lines: [
      { metric: 'effectiveRank', label: t('Student'), role: 'main' },
      { metric: 'effectiveRankTeacher', label: t('Teacher'), role: 'second' },
    ],
  },
  one('stability', 'teacherStudentCosine'),
  one('stability', 'gradientNorm'),
  one('machine', 'imagesPerSecond'),
  one('machine', 'stepMs'),
  one('machine', 'dataWaitShare'),
  one('machine', 'memoryBytes'),
  one('machine', 'cpuShare'),
  one('machine', 'gpuShare'),
  one('machine', 'gpuMemoryBytes'),
];

/**
 * The charts for what was logged, in reading order; metrics without a chart of their own get a plain one at the end.
 *
 * @param objective the loss term by term, of a single run: the schedules go below it
 */
export function chartsFor(
  logged: ReadonlySet<string>,
  runCount: number,
  objective: ChartSpec | null = null,
): ChartSpec[] {
  const drawn = builtIn.filter(({ lines }) => logged.has(lines[0]!.metric));
  const covered = new Set([...builtIn.flatMap(({ lines }) => lines.map(({ metric }) => metric)), 'gamma']);
  const others = [...logged].filter((metric) => !covered.has(metric)).sort();
  // A line of a chart that was never logged is left out of it.
  const present = drawn.map((spec) => ({ ...spec, lines: spec.lines.filter(({ metric }) => logged.has(metric)) }));
  const labelOf = metricLabels(others);
  const ofViews = new Set(others.filter((metric) => viewMetric.test(metric)));
  return [
    ...(objective ? [objective] : []),
    ...present,
    ...viewCharts(ofViews, runCount),
    ...others.filter((metric) => !ofViews.has(metric)).map((metric) => one('other', metric, labelOf(metric))),
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
        })),
      },
    ];
  });
}
