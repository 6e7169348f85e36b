import config from '../../jest.config.js';

/** `make test-gpu`: what only a machine with a GPU can show. One process on the device at a time. */
export default {
  ...config,
  rootDir: '../..',
  roots: ['<rootDir>/test/gpu'],
  testMatch: ['**/*.gpu.ts'],
  globalSetup: undefined,
  globalTeardown: undefined,
  maxWorkers: 1,
  testTimeout: 300_000,
};
