/** Builds the workflow bundle ahead of the first start: `node workers/build.ts DIRECTORY` prints where it lies. */
import { workflowBundle } from './shared/bundle.ts';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new TypeError('usage: node workers/build.ts DIRECTORY');
const { codePath } = await workflowBundle(directory);
process.stdout.write(`${codePath}\n`);
