import { sizeOf, type Shape } from '../../graph/ir.ts';

/** A workgroup's share of a product. */
export interface Tile {
  rows: number;
  columns: number;
  /** Speed at a large product, relative to the best tile's. */
  efficiency: number;
}

/** Measured on an H100: the larger tile leaves too little room for a second workgroup to work while the first one waits. */
const tiles: readonly Tile[] = [
  { rows: 128, columns: 64, efficiency: 1 },
  { rows: 64, columns: 128, efficiency: 0.95 },
  { rows: 128, columns: 128, efficiency: 0.92 },
  { rows: 64, columns: 64, efficiency: 0.8 },
];

export interface Sizes {
  batch: Shape;
  rows: number;
  columns: number;
  inner: number;
}

export interface Division {
  tile: Tile;
  /** Parts of the inner axis. */
  parts: number;
}

/** Elements of the result that a large GPU works on at once: a tile on each of 132 multiprocessors. */
const AT_ONCE = 132 * 128 * 128;
/** Writing an element of a part and reading it back takes about as long as so many multiplications in single precision. */
const PARTIAL_COST = 100;
const SHORTEST_PART = 128;

/**
 * The division of a product that a large GPU finishes soonest: elements outside of the result are computed in vain, the last tiles leave half
 * of the GPU idle on average, and parts of the inner axis shorten that, but have to be added.
 *
 * @param options.speed of multiplications, relative to single precision
 */
export function divide({ batch, rows, columns, inner }: Sizes, { speed }: { speed: number }): Division {
  const results = sizeOf(batch);
  const candidates = tiles.flatMap((tile) => {
    const computed =
      results * Math.ceil(rows / tile.rows) * tile.rows * Math.ceil(columns / tile.columns) * tile.columns;
    return [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]
      .filter((parts) => parts === 1 || inner / parts >= SHORTEST_PART)
      .map((parts) => {
        const depth = inner / parts;
        const adding = parts === 1 ? 0 : parts * results * rows * columns * PARTIAL_COST * speed;
        return { tile, parts, cost: (computed * inner + (AT_ONCE / 2) * depth) / tile.efficiency + adding };
      });
  });
  return candidates.reduce((best, candidate) => (candidate.cost < best.cost ? candidate : best));
}
