import config from '../../jest.config.js';

/** `make test-chaos`: the rounds, and the slow faults that `make test` has no time for. One stack at a time. */
export default {
  ...config,
  rootDir: '../..',
  roots: ['<rootDir>/test/chaos'],
  testMatch: ['**/rounds.test.ts', '**/*.chaos.ts'],
  globalSetup: undefined,
  globalTeardown: undefined,
  maxWorkers: 1,
};
