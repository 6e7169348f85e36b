import { TestEnvironment } from 'jest-environment-node';

/**
 * ONNX Runtime's native binding checks typed arrays against the realm that loaded it. Jest runs tests in a realm of
 * its own, so the outer constructors are lent to it.
 */
export default class OrtEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of [
      'Float32Array',
      'Float64Array',
      'Int8Array',
      'Int16Array',
      'Int32Array',
      'BigInt64Array',
      'Uint8Array',
      'Uint16Array',
      'Uint32Array',
      'BigUint64Array',
      'ArrayBuffer',
    ])
      this.global[name] = globalThis[name];
  }
}
