import { describe, expect, it } from '@jest/globals';
import { countTests } from '../../infra/checks/tests.ts';

const report = (values: Partial<Record<string, number | boolean>>) =>
  JSON.stringify({
    numPassedTests: 5,
    numFailedTests: 0,
    numRuntimeErrorTestSuites: 0,
    success: true,
    ...values,
  });

describe('countTests', () => {
  it('counts tests', () => {
    expect(countTests(report({}), 0)).toEqual({ passed: 5, failed: 0 });
    expect(countTests(report({ numFailedTests: 2, success: false }), 1)).toEqual({ passed: 5, failed: 2 });
  });

  it('counts a file that could not be loaded', () => {
    expect(countTests(report({ numRuntimeErrorTestSuites: 1, success: false }), 1)).toEqual({ passed: 5, failed: 1 });
  });

  it('never calls a failed run a success', () => {
    expect(countTests(report({}), 1)).toEqual({ passed: 5, failed: 1 });
    expect(countTests(report({ success: false }), 0)).toEqual({ passed: 5, failed: 1 });
  });
});
