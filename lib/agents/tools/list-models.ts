import { z } from 'zod';
import { defineTool } from './tool.ts';

const DEFAULT_LIMIT = 20;

export const listModels = defineTool({
  name: 'list_models',
  description: 'List the registered models with the number of their versions and the present champion.',
  schema: z.strictObject({ limit: z.int().min(1).max(50).optional().describe('most models to list') }),
  run: async ({ limit }, { views }) => ({ value: { models: await views.models(limit ?? DEFAULT_LIMIT) } }),
});
