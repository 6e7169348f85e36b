import { execFileSync } from 'node:child_process';
import { loadTensorFlow } from '../../lib/ml/native/addon.ts';

/**
 * Somebody else on the same GPU: takes its memory but for as many MiB as the first argument says, tells how many are
 * left, and keeps the rest until it is killed.
 */
const LEFT = Number(process.argv[2]);
const GIBIBYTE = 2 ** 30;
const { binding } = loadTensorFlow();

let free = freeMiB();
for (; free > LEFT + 1024; free = freeMiB()) hold();
console.log(free);
setInterval(() => undefined, GIBIBYTE);

/** A tensor of a GiB that is computed on the device, and so lies there. */
function hold(): void {
  const shape = [2 ** 14, 2 ** 14];
  const dims = binding.createTensor([2], binding.TF_INT32, Int32Array.from(shape));
  const zero = binding.createTensor([], binding.TF_FLOAT, Float32Array.of(0));
  const attributes = [
    { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'index_type', type: binding.TF_ATTR_TYPE, value: binding.TF_INT32 },
  ];
  binding.executeOp('Fill', attributes, [dims, zero], 1);
}

function freeMiB(): number {
  const query = ['--query-gpu=memory.free', '--format=csv,noheader,nounits'];
  return Number(execFileSync('nvidia-smi', query, { encoding: 'utf8' }).split('\n')[0]);
}
