/**
 * Keeps the doubles behind tfjs's constants.
 *
 * `tf.mul(x, 0.1)` turns 0.1 into `new Float32Array([0.1])` deep inside tfjs, where nothing can be injected; a graph meant for 64 bits
 * would carry 0.10000000149. While a recording runs - synchronously, so that no other code can notice - the global constructor is
 * replaced by a subclass that remembers the plain array it was made from.
 */
const doubles = new WeakMap<object, Float64Array>();

/** What a constant was before it was rounded, or undefined if it never was anything else. */
export function doublesOf(values: ArrayLike<number>): Float64Array | undefined {
  return doubles.get(values);
}

export function keepingDoubles<T>(body: () => T): T {
  const RoundingArray = globalThis.Float32Array;

  class RememberingArray extends RoundingArray {
    constructor(source: number | ArrayLike<number> | ArrayBuffer, byteOffset?: number, length?: number) {
      // The overloads of the built-in constructor do not union.
      super(source as unknown as ArrayBuffer, byteOffset, length);
      if (Array.isArray(source)) doubles.set(this, Float64Array.from(source));
      else if (source instanceof Float64Array) doubles.set(this, source.slice());
    }

    /** Arrays made before and after the recording are still what they say they are. */
    static override [Symbol.hasInstance](candidate: unknown): boolean {
      return Function.prototype[Symbol.hasInstance].call(RoundingArray, candidate);
    }

    /** Slices and maps are plain arrays again. */
    static get [Symbol.species](): Float32ArrayConstructor {
      return RoundingArray;
    }
  }

  globalThis.Float32Array = RememberingArray as unknown as Float32ArrayConstructor;
  try {
    return body();
  } finally {
    globalThis.Float32Array = RoundingArray;
  }
}
