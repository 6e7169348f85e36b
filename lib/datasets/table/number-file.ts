import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/** Numbers in memory at a time; four bytes each. */
const BUFFERED = 1 << 18;

/** Writes little-endian 32-bit numbers to a file, piece by piece. */
export class NumberWriter {
  readonly #file: FileHandle;
  readonly #view = new DataView(new ArrayBuffer(4 * BUFFERED));
  readonly #kind: 'float32' | 'int32';
  #length = 0;

  private constructor(file: FileHandle, kind: 'float32' | 'int32') {
    this.#file = file;
    this.#kind = kind;
  }

  static async create(path: string, kind: 'float32' | 'int32'): Promise<NumberWriter> {
    return new NumberWriter(await open(path, 'wx', 0o600), kind);
  }

  /** At most `BUFFERED` numbers. */
  async write(values: ArrayLike<number>): Promise<void> {
    if (this.#length + values.length > BUFFERED) await this.#flush();
    for (let index = 0; index < values.length; index += 1) {
      const value = values[index] as number;
      if (this.#kind === 'float32') this.#view.setFloat32(4 * this.#length, value, true);
      else this.#view.setInt32(4 * this.#length, value, true);
      this.#length += 1;
    }
  }

  async close(): Promise<void> {
    try {
      await this.#flush();
    } finally {
      await this.#file.close();
    }
  }

  async #flush(): Promise<void> {
    await this.#file.writeFile(new Uint8Array(this.#view.buffer, 0, 4 * this.#length));
    this.#length = 0;
  }
}

/** Rows of little-endian float32, each valid until the next one is asked for. */
export async function* float32Rows(path: string, width: number): AsyncGenerator<Float32Array> {
  const rows = Math.max(1, Math.floor(BUFFERED / width));
  const buffer = new Uint8Array(4 * width * rows);
  const numbers = new Float32Array(buffer.buffer);
  const file = await open(path, 'r');
  try {
    for (;;) {
      const length = await fill(file, buffer);
      for (let at = 0; at < length / 4; at += width) yield numbers.subarray(at, at + width);
      if (length < buffer.length) return;
    }
  } finally {
    await file.close();
  }
}

async function fill(file: FileHandle, buffer: Uint8Array): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}
