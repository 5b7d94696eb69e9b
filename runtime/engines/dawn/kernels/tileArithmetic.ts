import type { Scope, Shader } from '../wgsl/shader.ts';
import type { Tile } from './division.ts';
import type { Piece } from './tileLoads.ts';

/** An operand as tiles of it lie in the workgroup's memory. */
export interface TileSide {
  name: 'A' | 'B';
  /** Elements across the inner axis. */
  length: number;
  /** Neighbours in memory are neighbours along the inner axis. */
  isInnerLast: boolean;
}

/** Writes the product's element at a row and a column, whose sum has a name; to be called inside of the result alone. */
export type ElementWriter = (inside: Scope, row: string, column: string, sum: string) => void;

/** How the tiles of a product are multiplied: the part of its kernel between loading operands and writing results. */
export interface TileArithmetic {
  label: string;
  /** Relative to single precision. */
  speed: number;
  /** Elements along the inner axis that are in workgroup memory at a time. */
  depth: number;
  /** Declares what workgroup and threads keep; called once, before everything else. */
  declare(shader: Shader, scope: Scope, tile: Tile, sides: readonly [TileSide, TileSide]): void;
  /** A statement that writes what was loaded to the workgroup's memory. */
  keep(side: TileSide, piece: Piece): string;
  /** Adds the products of what is in the workgroup's memory to the sums. */
  multiply(scope: Scope, tile: Tile, sides: readonly [TileSide, TileSide]): void;
  /** Hands over every sum that is inside of the result. */
  finish(shader: Shader, scope: Scope, tile: Tile, size: { rows: number; columns: number }, write: ElementWriter): void;
}
