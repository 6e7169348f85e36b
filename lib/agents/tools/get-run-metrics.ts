import { z } from 'zod';
import { ModelArgument, VersionArgument } from './arguments.ts';
import { describeVersion } from './metrics.ts';
import { defineTool } from './tool.ts';

export const getRunMetrics = defineTool({
  name: 'get_run_metrics',
  description: 'Get the metrics (accuracy, macro F1, log loss, calibration error) of one version of a model.',
  schema: z.strictObject({ model: ModelArgument, version: VersionArgument.optional() }),
  run: async ({ model, version = 'champion' }, { views }) => {
    const found = await views.version(model, version);
    if (found === undefined) return { value: { error: `There is no version ${version} of ${model}.` } };
    return { value: describeVersion(found) };
  },
});
