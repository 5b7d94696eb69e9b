/** What each elementwise function is in WGSL, of operands that are names or literals. */
import type { BinaryFunction, Comparison, ElementType, UnaryFunction } from '../../graph/ir.ts';

/** Functions that WGSL lacks, by the name that expressions call them by. */
export const libraryFunctions = {
  /**
   * Two polynomials, fitted by reweighted least squares to erf(x) / x over x^2 in [0, 1] and to -ln(1 - erf(x)) over [1, 4], beyond which
   * erf rounds to 1. The relative error stays below 2e-7.
   */
  errorFunction: `fn errorFunction(x: f32) -> f32 {
  let t = min(abs(x), 4f);
  let u = t * t;
  let small = ${horner(
    'u',
    [
      1.1283791065216064, -0.3761262595653534, 0.11283600330352783, -0.026854444295167923, 0.005189535208046436,
      -0.0008020841050893068, 7.889119297033176e-5,
    ],
  )};
  let large = ${horner(
    't',
    [
      -0.00023480193340219557, 1.129815936088562, 0.6327013373374939, 0.10905364155769348, -0.025685226544737816,
      0.004429428838193417, -0.0005062973941676319, 3.219728387193754e-5, -7.29020825929183e-7,
    ],
  )};
  return select(sign(x) * (1f - exp(-large)), small * x, t <= 1f);
}`,
  /** By its bits: a compiler may assume that no operand of a comparison is one. */
  isNotANumber: `fn isNotANumber(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}`,
  /** A power of a negative number by a whole one, which WGSL leaves open. */
  power: `fn power(x: f32, y: f32) -> f32 {
  let magnitude = pow(abs(x), y);
  let isOdd = abs(y - 2f * floor(y * 0.5f)) == 1f;
  return select(magnitude, -magnitude, x < 0f && isOdd);
}`,
} as const;

export type LibraryFunction = keyof typeof libraryFunctions;

export function unaryExpression(fn: UnaryFunction, x: string, type: ElementType): string {
  switch (fn) {
    case 'negate':
      return `-${x}`;
    case 'absolute':
      return `abs(${x})`;
    case 'log':
    case 'sqrt':
      // Of a negative number WGSL promises nothing; training must see that a matrix was not positive definite.
      return `select(${realLiteral(NaN)}, ${fn}(${x}), ${x} >= 0f)`;
    case 'exp':
    case 'sin':
    case 'cos':
    case 'sign':
    case 'floor':
    case 'ceil':
    case 'round':
      return type === 'int32' && fn !== 'sign' ? x : `${fn}(${x})`;
    case 'reciprocal':
      return `1f / ${x}`;
    case 'erf':
      return `errorFunction(${x})`;
    case 'tanh':
      // Some drivers divide one infinity by another beyond.
      return `tanh(clamp(${x}, -16f, 16f))`;
    case 'sigmoid':
      return `1f / (1f + exp(-${x}))`;
    case 'not':
      return `!${x}`;
    case 'isNaN':
      return `isNotANumber(${x})`;
  }
}

export function binaryExpression(fn: BinaryFunction, a: string, b: string, type: ElementType): string {
  switch (fn) {
    case 'add':
      return `${a} + ${b}`;
    case 'subtract':
      return `${a} - ${b}`;
    case 'multiply':
      return `${a} * ${b}`;
    case 'divide':
      return `${a} / ${b}`;
    case 'maximum':
      return `max(${a}, ${b})`;
    case 'minimum':
      return `min(${a}, ${b})`;
    case 'power':
      return type === 'int32' ? `i32(round(power(f32(${a}), f32(${b}))))` : `power(${a}, ${b})`;
    case 'modulo':
      return type === 'int32' ? `((${a} % ${b}) + ${b}) % ${b}` : `${a} - ${b} * floor(${a} / ${b})`;
  }
}

const comparisons: Record<Comparison, string> = {
  equal: '==',
  greater: '>',
  greaterOrEqual: '>=',
  less: '<',
  lessOrEqual: '<=',
  and: '&&',
  or: '||',
};

export function comparisonExpression(fn: Comparison, a: string, b: string): string {
  return `${a} ${comparisons[fn]} ${b}`;
}

export function castExpression(x: string, from: ElementType, to: ElementType): string {
  if (from === to) return x;
  if (to === 'bool') return `${x} != ${literal(0, from)}`;
  if (from === 'bool') return `select(${literal(0, to)}, ${literal(1, to)}, ${x})`;
  return `${typeName(to)}(${x})`;
}

/** A constant of the graph. */
export function literal(value: number, type: ElementType): string {
  switch (type) {
    case 'int32':
      // The least whole number has no literal of its own.
      return value === -(2 ** 31) ? '(-2147483647 - 1)' : `${Math.trunc(value)}i`;
    case 'bool':
      return value === 0 ? 'false' : 'true';
    case 'uint8':
      return `${value}u`;
    case 'real':
      return realLiteral(value);
  }
}

/** Literals must be finite; other numbers are made of bits that the compiler can't see through. */
function realLiteral(value: number): string {
  const single = Math.fround(value);
  if (Number.isNaN(single)) return 'bitcast<f32>(notANumberBits)';
  if (!Number.isFinite(single)) return `${single < 0 ? '-' : ''}bitcast<f32>(infinityBits)`;
  const text = String(single);
  return single < 0 || Object.is(single, -0) ? `(-${String(Math.abs(single))}f)` : `${text}f`;
}

export const specialBits = `var<private> infinityBits: u32 = 0x7f800000u;
var<private> notANumberBits: u32 = 0x7fc00000u;`;

/** The type of an element inside an expression. */
export function typeName(type: ElementType): 'f32' | 'i32' | 'u32' | 'bool' {
  return ({ real: 'f32', int32: 'i32', bool: 'bool', uint8: 'u32' } as const)[type];
}

/** The type of an array's element in memory: booleans take a word, bytes lie four to a word. */
export function storageTypeName(type: ElementType): 'f32' | 'i32' | 'u32' {
  return ({ real: 'f32', int32: 'i32', bool: 'u32', uint8: 'u32' } as const)[type];
}

function horner(x: string, coefficients: readonly number[]): string {
  return coefficients
    .map((coefficient) => `(${coefficient}f)`)
    .reduceRight((sum, coefficient) => `fma(${sum}, ${x}, ${coefficient})`);
}
