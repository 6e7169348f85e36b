/**
 * What a graph from elsewhere may be at most. Far above what forests and networks for small data need; far below what
 * would trouble the process that reads it.
 */
export const SCAN_LIMITS = {
  /** Of the file, looked at before anything of it is read. */
  bytes: 256 * 2 ** 20,
  nodes: 20_000,
  /** Initializers and constants. */
  tensors: 20_000,
  attributes: 200_000,
  /** Numbers in attributes and in lists of tensors: a forest keeps its nodes there. */
  numbers: 32_000_000,
  /** Strings in attributes and in tensors. */
  strings: 4_000_000,
  /** Messages inside each other. Types of maps and sequences nest; graphs may not. */
  depth: 12,
  rank: 8,
  /** Elements of one tensor. */
  elements: 2 ** 26,
  /** Characters of a name, and of any other text. */
  name: 512,
  text: 64 * 1024,
  metadata: 64,
  /** Named features. */
  inputs: 2000,
  outputs: 8,
  /** Versions of the format, of ai.onnx and of ai.onnx.ml that are read. */
  ir: { from: 4, to: 13 },
  opset: { '': { from: 9, to: 24 }, 'ai.onnx.ml': { from: 1, to: 5 } },
} as const;
