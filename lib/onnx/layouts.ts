export interface KernelShape {
  /** Product of the kernel's spatial axes. */
  readonly area: number;
  readonly inputs: number;
  readonly outputs: number;
}

type Reorder = (data: Float32Array, shape: KernelShape) => Float32Array<ArrayBuffer>;

/** Kernels of convolutions: TensorFlow has [area, input, output], ONNX [output, input, area]. */
export const outputChannelsFirst: Reorder = (data, shape) => {
  const reordered = new Float32Array(data.length);
  eachWeight(shape, (last, first) => (reordered[first] = data[last] ?? 0));
  return reordered;
};

/** The opposite of `outputChannelsFirst`. */
export const outputChannelsLast: Reorder = (data, shape) => {
  const reordered = new Float32Array(data.length);
  eachWeight(shape, (last, first) => (reordered[last] = data[first] ?? 0));
  return reordered;
};

/** Calls `visit` with the place of each weight in either order. */
function eachWeight(
  { area, inputs, outputs }: KernelShape,
  visit: (channelsLast: number, channelsFirst: number) => void,
): void {
  for (let at = 0; at < area; at++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) visit((at * inputs + i) * outputs + o, (o * inputs + i) * area + at);
    }
  }
}
