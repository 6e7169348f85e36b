/**
 * The input of a graph for each named feature: of the feature's own name, or, as `skl2onnx` writes names, with `_` for
 * every character that is no letter, digit or `_`.
 *
 * @returns feature → input; a feature without an input of its own is not there
 */
export function inputsByFeature(features: readonly string[], inputs: readonly string[]): Map<string, string> {
  const free = new Set(inputs);
  const found = new Map<string, string>();
  for (const name of features) {
    if (free.delete(name)) found.set(name, name);
  }
  for (const name of features.filter((feature) => !found.has(feature))) {
    const written = name.replaceAll(/\W/g, '_');
    if (free.delete(written)) found.set(name, written);
  }
  return found;
}
