/** Bytes of the FileObject with this `@id`, verified. */
export type ReadFile = (id: string) => Promise<Buffer<ArrayBuffer>>;

export interface LabelledSamples {
  /** Row-major samples. */
  readonly x: Uint8Array<ArrayBuffer>;
  /** Class index of each sample. */
  readonly y: Int32Array;
}

export interface LabelledSplits {
  /** Shape of one sample. */
  readonly shape: number[];
  readonly dtype: 'uint8';
  readonly train: LabelledSamples;
  readonly test: LabelledSamples;
}
