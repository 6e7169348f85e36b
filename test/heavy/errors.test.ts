import { describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../contracts/errors.ts';
import { describeFailure } from '../../lib/heavy/errors.ts';

describe('describeFailure', () => {
  it.each([
    'OOM when allocating tensor with shape[512,96,28,28]',
    'Compute received an exception:Status:1, message: could not create a memory object. in file mkl_maxpooling_op.cc:388',
    'Compute received an exception:Status:1, message: could not create a primitive. in file mkl_maxpooling_op.cc:388',
    'Operation received an exception:Status: 5, message: could not execute a primitive, in file mkl_matmul_op_fused.cc',
    'Array buffer allocation failed',
  ])('knows that memory ran out: %s', (message) => {
    expect(describeFailure(new Error(message)).code).toBe('DEVICE_OUT_OF_MEMORY');
  });

  it.each([
    'ENOSPC: no space left on device, write',
    "EDQUOT: disk quota exceeded, open '/tmp/x'",
    'Write error: No space left on device',
  ])('knows that the disk is full: %s', (message) => {
    expect(describeFailure(new Error(message)).code).toBe('DISK_FULL');
    expect(ERRORS.DISK_FULL.retryable).toBe(true);
  });

  it('leaves what else went wrong to the exit of the process', () => {
    expect(describeFailure(new Error('could not find a kernel')).code).toBeUndefined();
  });
});
