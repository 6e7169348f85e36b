import { z } from 'zod';
import { PresetList, PresetView } from '../../contracts/api.ts';
import { Name } from '../../contracts/reference.ts';
import { listPresets, loadPreset } from '../../lib/ml/index.ts';
import { route, type Route } from '../http/route.ts';

const tag = 'Models';

/** Beside `/v1/models`, not below it: a model may be called "presets". */
export function presetRoutes(): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/presets',
      operationId: 'listPresets',
      tag,
      summary: 'Networks that are known to work, with their training and gates',
      access: 'model:read',
      success: { status: 200, description: 'All of them.', schema: PresetList },
      handler: () => ({ presets: listPresets().map(view) }),
    }),
    route({
      method: 'get',
      path: '/v1/presets/{name}',
      operationId: 'getPreset',
      tag,
      summary: 'One preset',
      access: 'model:read',
      params: z.strictObject({ name: Name }),
      success: { status: 200, description: 'The preset.', schema: PresetView },
      errors: ['PRESET_UNKNOWN'],
      handler: ({ params }) => view(params.name),
    }),
  ];
}

function view(name: string): PresetView {
  return { name, ...loadPreset(name) };
}
