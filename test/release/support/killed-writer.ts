import { ArtifactStore } from '../../../lib/artifacts/index.ts';
import { ReleaseStore } from '../../../lib/release/index.ts';

/** `node killed-writer.ts ROOT`: dies by SIGKILL when the whole folder is written, and has no name yet. */
const [root] = process.argv.slice(2);
if (root === undefined) throw new TypeError('usage: killed-writer.ts ROOT');
const store = new ArtifactStore({ root });
const manifest = await store.put(Buffer.from('{}'), { mediaType: 'application/json' });
await new ReleaseStore({ root }).put({
  model: 'mnist-softmax',
  version: '3',
  files: { 'release.json': manifest, 'model/model.onnx': manifest },
  store,
  check: async () => {
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => undefined);
  },
});
