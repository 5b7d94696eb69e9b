/** Reading and merging of plain nested values as a YAML text yields them. */

export type PlainMap = Record<string, unknown>;

/** Deeper nesting than any configuration has; stops at values that contain themselves. */
const maxDepth = 16;

export function isPlainMap(value: unknown): value is PlainMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `over` laid on `base`: maps merge key by key, everything else, lists included, is replaced. */
export function mergeDeep(base: unknown, over: unknown, depth = 0): unknown {
  if (!isPlainMap(base) || !isPlainMap(over) || depth > maxDepth) return over;
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    merged.set(key, merged.has(key) ? mergeDeep(merged.get(key), value, depth + 1) : value);
  }
  return Object.fromEntries(merged);
}

export function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((node, step) => {
    if (Array.isArray(node)) return node[Number(step)] as unknown;
    return isPlainMap(node) && Object.hasOwn(node, step) ? node[step] : undefined;
  }, value);
}

/** A copy in which the key at `path` has a new value, sections made as needed. */
export function withValue(value: unknown, path: readonly string[], set: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return set;
  if (Array.isArray(value) && /^\d+$/.test(key) && Number(key) < value.length) {
    return value.map((item: unknown, index) => (index === Number(key) ? withValue(item, rest, set) : item));
  }
  const map = isPlainMap(value) ? value : {};
  return { ...map, [key]: withValue(Object.hasOwn(map, key) ? map[key] : undefined, rest, set) };
}

/** A copy without the key at `path`. */
export function withoutKey(value: unknown, path: readonly (string | number)[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined || !isPlainMap(value) || !Object.hasOwn(value, key)) return value;
  if (rest.length > 0) return { ...value, [key]: withoutKey(value[key], rest) };
  const { [key]: _removed, ...others } = value;
  return others;
}
