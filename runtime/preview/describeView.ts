import type { PreviewView } from './previewImages.ts';

/** `global 1`, `local 3`: views as people count them. */
export function viewName(views: readonly PreviewView[], index: number): string {
  const { kind } = views[index]!;
  return `${kind} ${views.slice(0, index + 1).filter((view) => view.kind === kind).length}`;
}

/** What was done to a view, in a word or two each. */
export function operationsOf({ flip, jitter, grayscale, blur, solarize }: PreviewView): string[] {
  return [
    ...(flip ? ['flip'] : []),
    ...(jitter.length > 0 ? ['colour'] : []),
    ...(grayscale ? ['grey'] : []),
    ...(blur ? [`blur ${blur.sigmaPx.toFixed(1)}`] : []),
    ...(solarize ? ['solarize'] : []),
  ];
}

/** Everything that decides a view, in one line. */
export function describeView(views: readonly PreviewView[], index: number): string {
  const view = views[index]!;
  const { left, top, width, height } = view.crop;
  const operations = [
    ...(view.flip ? ['flip'] : []),
    ...view.jitter.map((step) => `${step.op} ${(step.op === 'hue' ? step.shift : step.factor).toFixed(2)}`),
    ...operationsOf(view).filter((operation) => operation !== 'flip' && operation !== 'colour'),
  ];
  return `${viewName(views, index)}: ${width} x ${height} px at ${left}, ${top}${operations.map((text) => `, ${text}`).join('')}`;
}
