/** Reads signals so that the component or effect around it runs again when they change, though it needs no value of theirs. */
export function dependOn(...signals: { readonly value: unknown }[]): unknown[] {
  return signals.map((signal) => signal.value);
}
