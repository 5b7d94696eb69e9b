import { firstAtLeast } from '../../experiments/decimate.ts';
import type { ChartBoard } from './chartBoard.ts';
import type { ChartSpec } from './chartSpecs.ts';

/**
 * A chart by keyboard: arrows move the crosshair from point to point (Page keys by a tenth of the window), Shift with
 * arrows pans, + and - zoom around the crosshair, 0 shows everything, Escape puts the crosshair away.
 */
export function onChartKey(event: KeyboardEvent, board: ChartBoard, spec: ChartSpec): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { from, to } = board.window();
  const width = to - from;
  const at = board.cursor.value?.x ?? to;
  const direction = event.key === 'ArrowLeft' || event.key === 'PageUp' ? -1 : 1;
  switch (event.key) {
    case 'ArrowLeft':
    case 'ArrowRight':
      if (event.shiftKey) board.zoomTo(from + (direction * width) / 5, to + (direction * width) / 5);
      else moveTo(board, spec, neighbour(board, spec, at, direction));
      break;
    case 'PageUp':
    case 'PageDown':
      moveTo(board, spec, Math.min(to, Math.max(from, at + (direction * width) / 10)));
      break;
    case 'Home':
      moveTo(board, spec, from);
      break;
    case 'End':
      moveTo(board, spec, to);
      break;
    case '+':
    case '=':
      board.zoomTo(at - (at - from) / 1.5, at + (to - at) / 1.5);
      break;
    case '-':
      board.zoomTo(at - (at - from) * 1.5, at + (to - at) * 1.5);
      break;
    case '0':
      board.zoom.value = null;
      break;
    case 'Escape':
      if (board.cursor.value === null) board.zoom.value = null;
      board.cursor.value = null;
      break;
    default:
      return;
  }
  event.preventDefault();
}

function moveTo(board: ChartBoard, spec: ChartSpec, x: number): void {
  board.cursor.value = { x, chartId: spec.id, pointer: null };
}

/** The next point of the first line, or a hundredth of the window when points lie closer than that. */
function neighbour(board: ChartBoard, spec: ChartSpec, at: number, direction: number): number {
  const { from, to } = board.window();
  const [run] = board.shown.value;
  const curve = run && board.store.curve(run.id, spec.lines[0]!.metric);
  const hop = at + (direction * (to - from)) / 100;
  if (!run || !curve || curve.length === 0) return Math.min(to, Math.max(from, hop));
  const x = curve.x(board.axis.value, board.store.clock(run));
  const index = direction > 0 ? firstAtLeast(x, at + Math.abs(at) * 1e-12 + 1e-12) : firstAtLeast(x, at) - 1;
  const next = x[Math.min(x.length - 1, Math.max(0, index))]!;
  const target = direction > 0 ? Math.max(next, hop) : Math.min(next, hop);
  return Math.min(to, Math.max(from, target));
}
