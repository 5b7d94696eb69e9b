/**
 * Gaussian filtering in a space of several dimensions on the permutohedral lattice (Adams, Baek and Davis): values are splatted to the
 * corners of the simplex that each point lies in, blurred along the lattice's directions, and read back with the same weights.
 */
export type LatticeFilter = (values: Float32Array) => Float32Array;

/**
 * A filter with unit standard deviation.
 *
 * @param positions row-major [points, dimensions], already divided by the standard deviations
 */
export function permutohedralFilter(positions: Float32Array, dimensions: number): LatticeFilter {
  const d = dimensions;
  const points = positions.length / d;
  const corners = d + 1;
  const vertexOf = new Int32Array(points * corners);
  const weightOf = new Float32Array(points * corners);
  const table = latticeTable(d, points);

  // A blur of [1/2, 1, 1/2] along each of d + 1 directions, together with splat and slice, has this standard deviation.
  const stretch = Math.sqrt(2 / 3) * corners;
  const scale = Float64Array.from({ length: d }, (_, at) => stretch / Math.sqrt((at + 1) * (at + 2)));
  const elevated = new Float64Array(corners);
  const remainder = new Int32Array(corners);
  const rank = new Int32Array(corners);
  const barycentric = new Float64Array(d + 2);
  const key = new Int32Array(d);
  for (let point = 0; point < points; point++) {
    // Onto the hyperplane whose coordinates sum to zero.
    let sum = 0;
    for (let at = d; at > 0; at--) {
      const value = positions[point * d + at - 1]! * scale[at - 1]!;
      elevated[at] = sum - at * value;
      sum += value;
    }
    elevated[0] = sum;
    // The nearest point whose coordinates are multiples of d + 1, and by how much its coordinates miss a sum of zero.
    let excess = 0;
    for (let at = 0; at < corners; at++) {
      const nearest = Math.round(elevated[at]! / corners);
      remainder[at] = nearest * corners;
      excess += nearest;
    }
    rank.fill(0);
    for (let a = 0; a < d; a++)
      for (let b = a + 1; b < corners; b++) {
        if (elevated[a]! - remainder[a]! < elevated[b]! - remainder[b]!) rank[a]!++;
        else rank[b]!++;
      }
    for (let at = 0; at < corners; at++) {
      rank[at]! += excess;
      if (rank[at]! < 0) {
        rank[at]! += corners;
        remainder[at]! += corners;
      } else if (rank[at]! > d) {
        rank[at]! -= corners;
        remainder[at]! -= corners;
      }
    }
    barycentric.fill(0);
    for (let at = 0; at < corners; at++) {
      const share = (elevated[at]! - remainder[at]!) / corners;
      barycentric[d - rank[at]!]! += share;
      barycentric[d - rank[at]! + 1]! -= share;
    }
    barycentric[0]! += 1 + barycentric[d + 1]!;
    for (let corner = 0; corner < corners; corner++) {
      for (let at = 0; at < d; at++) key[at] = remainder[at]! + (rank[at]! > d - corner ? corner - corners : corner);
      vertexOf[point * corners + corner] = table.find(key, true);
      weightOf[point * corners + corner] = barycentric[corner]!;
    }
  }
  const { before, after } = table.neighbours();
  const vertices = table.size();
  // The lattice's own gain, so that the kernel is 1 at distance 0 in the limit of dense points.
  const gain = 1 / (1 + 2 ** -d);

  return (values) => {
    let current = new Float32Array(vertices + 1);
    let next = new Float32Array(vertices + 1);
    // Vertex numbers are shifted by one: entry 0 stands for all that are not there.
    for (let point = 0; point < points; point++)
      for (let corner = 0; corner < corners; corner++) {
        const at = point * corners + corner;
        current[vertexOf[at]! + 1]! += weightOf[at]! * values[point]!;
      }
    for (let direction = 0; direction < corners; direction++) {
      for (let vertex = 0; vertex < vertices; vertex++) {
        const at = direction * vertices + vertex;
        next[vertex + 1] = current[vertex + 1]! + 0.5 * (current[before[at]! + 1]! + current[after[at]! + 1]!);
      }
      next[0] = 0;
      [current, next] = [next, current];
    }
    const result = new Float32Array(points);
    for (let point = 0; point < points; point++) {
      let sum = 0;
      for (let corner = 0; corner < corners; corner++) {
        const at = point * corners + corner;
        sum += weightOf[at]! * current[vertexOf[at]! + 1]!;
      }
      result[point] = sum * gain;
    }
    return result;
  };
}

/** Vertices by their coordinates, in a table with open addressing that grows. */
function latticeTable(d: number, points: number) {
  let capacity = 1 << Math.ceil(Math.log2(Math.max(16, points)));
  let slots = new Int32Array(capacity).fill(-1);
  let keys = new Int32Array(capacity * d);
  let count = 0;

  const hash = (key: Int32Array, from: number): number => {
    let value = 0;
    for (let at = 0; at < d; at++) value = Math.imul(value + key[from + at]!, 0x9e3779b1) ^ (value >>> 15);
    return value & (capacity - 1);
  };
  const grow = () => {
    capacity *= 2;
    const wider = new Int32Array(capacity * d);
    wider.set(keys);
    keys = wider;
    slots = new Int32Array(capacity).fill(-1);
    for (let vertex = 0; vertex < count; vertex++) {
      let slot = hash(keys, vertex * d);
      while (slots[slot]! >= 0) slot = (slot + 1) & (capacity - 1);
      slots[slot] = vertex;
    }
  };
  /** The vertex of a key; -1 where there is none and it is not to be made. */
  const find = (key: Int32Array, make: boolean): number => {
    if (make && count * 2 >= capacity) grow();
    for (let slot = hash(key, 0); ; slot = (slot + 1) & (capacity - 1)) {
      const vertex = slots[slot]!;
      if (vertex < 0) {
        if (!make) return -1;
        keys.set(key, count * d);
        slots[slot] = count;
        return count++;
      }
      let at = 0;
      while (at < d && keys[vertex * d + at] === key[at]) at++;
      if (at === d) return vertex;
    }
  };
  /** Per direction, the vertices one step back and forth; -1 where there is none. */
  const neighbours = () => {
    const before = new Int32Array((d + 1) * count);
    const after = new Int32Array((d + 1) * count);
    const key = new Int32Array(d);
    for (let direction = 0; direction <= d; direction++)
      for (let vertex = 0; vertex < count; vertex++) {
        for (const [into, step] of [
          [before, 1],
          [after, -1],
        ] as const) {
          for (let at = 0; at < d; at++) key[at] = keys[vertex * d + at]! + (at === direction ? -step * d : step);
          into[direction * count + vertex] = find(key, false);
        }
      }
    return { before, after };
  };
  return { find, neighbours, size: () => count };
}
