/**
 * The rows of the table that are in sight, and a few around them: the cost of a frame does not grow with the number of runs.
 *
 * One element takes the keyboard: arrows move through rows, Space selects, Enter opens the curves.
 */
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { formatMetric } from '../../experiments/formatMetric.ts';
import { cellText, type TableColumn, type TableItem } from '../../experiments/runsTable.ts';
import type { TableRow } from '../../protocol/panelMessages.ts';
import { t } from '../l10n.ts';
import { Icon } from '../parts/Icon.tsx';
import { StateBadge } from '../parts/StateBadge.tsx';
import type { TableModel } from './tableModel.ts';

const rowPx = 28;
const overscan = 8;

export function VirtualRows({ model }: { model: TableModel }) {
  const { host } = model;
  const items = model.items.value;
  const columns = model.shown.value;
  const top = useSignal(0);
  const height = useSignal(600);
  const active = useSignal(0);
  const anchor = useRef(0);
  const scroller = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => (height.value = element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const first = Math.max(0, Math.floor(top.value / rowPx) - overscan);
  const end = Math.min(items.length, Math.ceil((top.value + height.value) / rowPx) + overscan);
  const at = Math.min(active.value, items.length - 1);
  const grouped = model.groupBy.value !== null;
  const widths = columns.map((column) => widthOf(column, grouped));
  const template = widths.map(({ least, share }) => (share ? `minmax(${least}, ${share}fr)` : least)).join(' ');
  // Each row is a grid of its own. All of them have this width, so that their columns stand below each other.
  const rowWidth = `max(100%, ${widths.map(({ least }) => least).join(' + ')})`;

  const select = (index: number, how: 'toggle' | 'range'): void => {
    const next = new Set(model.selected.value);
    const [from, to] = how === 'range' ? [anchor.current, index].sort((a, b) => a - b) : [index, index];
    for (const item of items.slice(from, (to as number) + 1)) {
      if (item.kind !== 'row') continue;
      if (how === 'range') next.add(item.row.id);
      else if (!next.delete(item.row.id)) next.add(item.row.id);
    }
    anchor.current = index;
    model.selected.value = next;
  };
  const moveTo = (index: number): void => {
    active.value = Math.max(0, Math.min(items.length - 1, index));
    const element = scroller.current;
    if (!element) return;
    const y = active.value * rowPx;
    // Below the head, which stays in sight.
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + 2 * rowPx > element.scrollTop + element.clientHeight)
      element.scrollTop = y + 2 * rowPx - element.clientHeight;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget) return;
    const page = Math.max(1, Math.floor(height.value / rowPx) - 2);
    const target = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: items.length - 1,
    }[event.key];
    const item = items[at];
    if (target !== undefined) {
      moveTo(target);
      if (event.shiftKey) select(active.value, 'range');
    } else if (event.key === ' ') select(at, 'toggle');
    else if (event.key === 'Enter' && item?.kind === 'row') host.send({ type: 'openRun', runId: item.row.id });
    else return;
    event.preventDefault();
  };

  return (
    <div
      class="runs-table"
      role="grid"
      tabIndex={0}
      ref={scroller}
      aria-label={t('Runs')}
      aria-rowcount={items.length + 1}
      aria-colcount={columns.length}
      aria-multiselectable="true"
      aria-activedescendant={at >= first && at < end ? `row-${at}` : undefined}
      onKeyDown={onKeyDown}
      onScroll={(event) => (top.value = event.currentTarget.scrollTop)}
      style={{ '--columns': template, '--row-width': rowWidth }}
    >
      <div role="row" class="head" aria-rowindex={1}>
        {columns.map((column) => (
          <Heading key={column.id} column={column} model={model} />
        ))}
      </div>
      <div role="rowgroup" class="body" style={{ height: `${items.length * rowPx}px` }}>
        {items.slice(first, end).map((item, i) => {
          const index = first + i;
          const place = { id: `row-${index}`, style: { top: `${index * rowPx}px` }, 'aria-rowindex': index + 2 };
          const look = index === at ? ' active' : '';
          if (item.kind === 'group')
            return (
              <div role="row" class={`group${look}`} key={`group ${String(item.value)}`} {...place}>
                <GroupCells item={item} columns={columns} groupBy={model.groupBy.value} model={model} />
              </div>
            );
          const { row } = item;
          const selected = model.selected.value.has(row.id);
          return (
            <div
              role="row"
              class={`line${look}${selected ? ' selected' : ''}${row.archived ? ' archived' : ''}`}
              key={row.id}
              aria-selected={selected}
              onClick={(event) => {
                if ((event.target as HTMLElement).closest('button')) return;
                active.value = index;
                select(index, event.shiftKey ? 'range' : 'toggle');
              }}
              {...place}
            >
              {columns.map((column) => (
                <div role="gridcell" class={`cell ${column.kind}`} key={column.id}>
                  <Cell row={row} column={column} model={model} selected={selected} />
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** A click sorts by this column alone, with Shift by it after the others; a second click turns the order. */
function Heading({ column, model }: { column: TableColumn; model: TableModel }) {
  const place = model.sort.value.findIndex((key) => key.column === column.id);
  const key = model.sort.value[place];
  const several = model.sort.value.length > 1;
  const sort = (event: MouseEvent): void => {
    const next = { column: column.id, descending: key ? !key.descending : column.kind !== 'text' };
    if (!event.shiftKey) model.sort.value = [next];
    else if (key) model.sort.value = model.sort.value.map((other) => (other === key ? next : other));
    else model.sort.value = [...model.sort.value, next];
  };
  return (
    <div
      role="columnheader"
      class={`cell ${column.kind}`}
      aria-sort={key ? (key.descending ? 'descending' : 'ascending') : 'none'}
    >
      <button
        type="button"
        onClick={sort}
        title={t('Sort by {0}; with Shift, after the other columns', column.title ?? column.label)}
      >
        <span class="label">{column.label}</span>
        {key && (
          <span class="order" aria-hidden="true">
            {key.descending ? '\u2193' : '\u2191'}
            {several && place + 1}
          </span>
        )}
      </button>
    </div>
  );
}

function Cell(props: { row: TableRow; column: TableColumn; model: TableModel; selected: boolean }) {
  const { row, column, model, selected } = props;
  const { host } = model;
  if (column.id === 'name')
    return (
      <>
        <span class="tick" aria-hidden="true">
          {selected ? '\u2611' : '\u2610'}
        </span>
        <button
          type="button"
          class={`star-button${row.star ? ' on' : ''}`}
          tabIndex={-1}
          disabled={!host.live}
          aria-pressed={row.star}
          aria-label={t('Star {0}', row.name)}
          onClick={() => host.send({ type: 'star', runId: row.id, star: !row.star })}
        >
          <Icon name="star" />
        </button>
        <button
          type="button"
          class="link"
          tabIndex={-1}
          title={row.name === row.id ? row.name : `${row.name} (${row.id})`}
          onClick={() => host.send({ type: 'openRun', runId: row.id })}
        >
          {row.name}
        </button>
      </>
    );
  if (column.id === 'state') return <StateBadge state={row.state} />;
  const text = cellText(column, column.value(row), timeText);
  return <span title={column.kind === 'text' ? text : undefined}>{text}</span>;
}

function GroupCells(props: {
  item: Extract<TableItem, { kind: 'group' }>;
  columns: readonly TableColumn[];
  groupBy: string | null;
  model: TableModel;
}) {
  const { item, columns, groupBy, model } = props;
  const column = model.columns.value.find(({ id }) => id === groupBy);
  const value =
    item.value === undefined ? t('not set') : column ? cellText(column, item.value, timeText) : String(item.value);
  return (
    <>
      {columns.map(({ id, metric, kind }, i) => {
        const mean = item.means[id];
        return (
          <div role="gridcell" class={`cell ${kind}`} key={id}>
            {i === 0 ? (
              <b title={`${column?.label ?? ''} ${value} (${item.count})`}>
                {column?.label} {value} <span class="muted">({item.count})</span>
              </b>
            ) : (
              mean && (
                <span title={t('mean and 95 % confidence interval of {0} runs', mean.n)}>
                  {formatMetric(metric ?? '', mean.mean)}
                  {mean.ci95 !== null && (
                    <span class="muted"> {`\u00b1 ${formatMetric(metric ?? '', mean.ci95)}`}</span>
                  )}
                </span>
              )
            )}
          </div>
        );
      })}
    </>
  );
}

function timeText(time: Date): string {
  return time.toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'short' });
}

/** How wide a column is: its least width as CSS has it, and its share of what is left over. */
interface ColumnWidth {
  least: string;
  share?: number;
}

/** Wide enough for the heading with its arrow and for what stands below it; only texts and the longest headings are cut. */
function widthOf({ id, kind, label }: TableColumn, grouped: boolean): ColumnWidth {
  const heading = Math.min(26, label.length) + 3;
  const fitting = (letters: number): string => `calc(${Math.max(heading, letters)}ch + 18px)`;
  // A name with the time of its start, a tick and a star.
  if (id === 'name') return { least: 'calc(24ch + 64px)', share: 2 };
  // The badge has a glyph and a rim.
  if (id === 'state') return { least: 'calc(15ch + 50px)' };
  switch (kind) {
    case 'time':
      // Its blanks and slashes are narrow.
      return { least: fitting(Math.ceil(0.9 * longestTime())) };
    case 'number':
      return { least: fitting(8) };
    case 'metric':
      return { least: fitting(grouped ? 18 : 10) };
    case 'text':
      return { least: fitting(12), share: 1 };
  }
}

/** Letters of a late hour of a late day, as this place writes it. */
function longestTime(): number {
  return Math.max(...[9, 11].map((month) => timeText(new Date(2026, month, 30, 22, 58)).length));
}
