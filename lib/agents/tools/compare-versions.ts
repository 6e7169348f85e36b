import { z } from 'zod';
import { ModelArgument, VersionArgument } from './arguments.ts';
import { describeVersion, rounded } from './metrics.ts';
import { defineTool } from './tool.ts';

export const compareVersions = defineTool({
  name: 'compare_versions',
  description: 'Compare the metrics of two versions of a model. Differences are the second minus the first.',
  schema: z.strictObject({ model: ModelArgument, first: VersionArgument, second: VersionArgument }),
  run: async ({ model, first, second }, { views }) => {
    const [a, b] = [await views.version(model, first), await views.version(model, second)];
    if (a === undefined || b === undefined) {
      return { value: { error: `There is no version ${a === undefined ? first : second} of ${model}.` } };
    }
    const shared = Object.keys(a.metrics).filter((name) => name in b.metrics);
    const difference = shared.map((name) => [name, (b.metrics[name] ?? NaN) - (a.metrics[name] ?? NaN)] as const);
    return {
      value: {
        first: describeVersion(a),
        second: describeVersion(b),
        difference: rounded(Object.fromEntries(difference)),
      },
    };
  },
});
