/** Kernels of convolutions: TensorFlow has [area, input, output], ONNX [output, input, area]. */
export function outputChannelsFirst(
  data: Float32Array,
  area: number,
  inputs: number,
  outputs: number,
): Float32Array<ArrayBuffer> {
  const reordered = new Float32Array(data.length);
  eachWeight(area, inputs, outputs, (last, first) => (reordered[first] = data[last] ?? 0));
  return reordered;
}

/** The opposite of `outputChannelsFirst`. */
export function outputChannelsLast(
  data: Float32Array,
  area: number,
  inputs: number,
  outputs: number,
): Float32Array<ArrayBuffer> {
  const reordered = new Float32Array(data.length);
  eachWeight(area, inputs, outputs, (last, first) => (reordered[last] = data[first] ?? 0));
  return reordered;
}

/** Calls `visit` with the place of each weight in either order. */
function eachWeight(
  area: number,
  inputs: number,
  outputs: number,
  visit: (channelsLast: number, channelsFirst: number) => void,
): void {
  for (let at = 0; at < area; at++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) visit((at * inputs + i) * outputs + o, (o * inputs + i) * area + at);
    }
  }
}
