/** The loss of one run as areas that stand on each other, from its terms to the total. */
import { firstAtLeast } from '../../experiments/decimate.ts';
import type { LossRest, LossTerm } from '../../experiments/lossTerms.ts';
import { metricInfo } from '../../experiments/compare.ts';
import { formatNumber } from '../../experiments/formatMetric.ts';
import type { RunSummary } from '../../protocol/panelMessages.ts';
import { t } from '../l10n.ts';
import type { ChartSpec, LineSpec } from './chartSpecs.ts';
import type { Curve } from './curve.ts';
import { loggedTerms, restOfLoss, sideOf, sumOf, termOf } from './derivedCurves.ts';

const restLabels: Record<LossRest, string> = {
  infoNce: 'InfoNCE',
  uniformity: t('Uniformity'),
  barlowTwins: 'Barlow Twins',
  divergence: t('Divergence from the teacher'),
};

/** A remainder below this share of the loss and its terms is rounding. */
const roundingShare = 1e-3;
const samples = 64;

interface Part {
  metric: string;
  label: string;
  /** In the equation; empty for what stands there already. */
  words: string;
  isBelow: boolean;
}

/** Logged terms that may be above zero at one step and below it at another: KoLeo is a logarithm of distances around 1. */
const signed: readonly string[] = ['koleo'];

/** Null where the objective's terms are not known or were not logged. */
export function lossChart(run: RunSummary, curveOf: (metric: string) => Curve | undefined): ChartSpec | null {
  const objective = loggedTerms(run, (metric) => curveOf(metric) !== undefined);
  if (!objective) return null;
  const parts = objective.terms.flatMap(({ metric, weight, times }): Part[] => {
    const name = metricInfo(metric).label;
    const factor = Math.abs(weight) === 1 ? '' : `${formatNumber(Math.abs(weight))} \u00d7 `;
    const product = times === undefined ? `${factor}${lowerFirst(name)}` : `\u03b3 \u00d7 ${lowerFirst(name)}`;
    const label = times === undefined ? (factor === '' ? name : product) : '\u03b3R';
    const words = `${weight < 0 ? '\u2212' : '+'} ${product}`;
    if (signed.includes(metric)) {
      const term = termOf(metric);
      const hasSide = (isThere: (value: number) => boolean) => curveOf(term)?.values.some(isThere) === true;
      const above: Part = { metric: sideOf('above', term), label: `+${label}`, words, isBelow: false };
      const below: Part = { metric: sideOf('below', term), label: t('{0}, negative', label), words, isBelow: true };
      if (!hasSide((value) => value < 0)) return [above];
      return hasSide((value) => value > 0) ? [above, { ...below, words: '' }] : [below];
    }
    return [{ metric: termOf(metric), label: weight < 0 ? `\u2212${label}` : label, words, isBelow: weight < 0 }];
  });
  const left = remainder(objective.terms, curveOf);
  if (objective.rest !== null || left.isThere) {
    const label = objective.rest === null ? t('Rest') : restLabels[objective.rest];
    parts.push({ metric: restOfLoss, label, words: `+ ${lowerFirst(label)}`, isBelow: left.isBelow });
  }
  return {
    id: 'decomposition',
    title: t('Loss, term by term'),
    unit: '',
    section: 'objective',
    description: t(
      'Loss = {0}: the areas stand on each other, and those above zero less those below it are the line.',
      parts
        .map(({ words }) => words)
        .filter(Boolean)
        .join(' ')
        .replace(/^\+ /, ''),
    ),
    lines: [
      ...stacked(parts.filter(({ isBelow }) => !isBelow)),
      ...stacked(parts.filter(({ isBelow }) => isBelow)),
      { metric: 'loss', label: t('Loss'), role: 'total' },
    ],
  };
}

/** Each area from the edge of the one before it, the first from zero. */
function stacked(parts: readonly Part[]): LineSpec[] {
  return parts.map(({ metric, label }, i) => ({
    metric,
    label,
    role: 'area',
    ...(i > 0 ? { drawn: sumOf(parts.slice(0, i + 1).map((part) => part.metric)) } : {}),
  }));
}

/** Whether the terms leave something of the loss, told from a few of its points: a run may have a million. */
function remainder(
  terms: readonly LossTerm[],
  curveOf: (metric: string) => Curve | undefined,
): { isThere: boolean; isBelow: boolean } {
  const loss = curveOf('loss');
  let [largest, sum] = [0, 0];
  for (let i = 0; loss && i < Math.min(samples, loss.length); i++) {
    const at = loss.length - 1 - Math.floor((i * loss.length) / samples);
    const values = terms.map((term) => termAt(term, loss.step[at]!, curveOf));
    const left = values.reduce((rest, value) => rest - value, loss.values[at]!);
    if (!Number.isFinite(left)) continue;
    const size = values.reduce((whole, value) => whole + Math.abs(value), Math.abs(loss.values[at]!));
    largest = Math.max(largest, size === 0 ? 0 : Math.abs(left) / size);
    sum += left;
  }
  return { isThere: largest > roundingShare, isBelow: sum < 0 };
}

function termAt(
  { metric, weight, times }: LossTerm,
  step: number,
  curveOf: (metric: string) => Curve | undefined,
): number {
  const curve = curveOf(metric)!;
  const at = firstAtLeast(curve.step, step);
  if (curve.step[at] !== step) return Number.NaN;
  const held = times === undefined ? undefined : curveOf(times)!;
  const factor = held ? held.values[Math.max(0, firstAtLeast(held.step, step + 1) - 1)]! : 1;
  return weight * factor * curve.values[at]!;
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) && !restNames.has(text) ? text[0]!.toLowerCase() + text.slice(1) : text;
}

/** Names that keep their capital. */
const restNames = new Set(['KoLeo', 'InfoNCE', 'Barlow Twins']);
