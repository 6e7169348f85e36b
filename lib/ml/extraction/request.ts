import { ExtractionInput } from '../../../contracts/extraction.ts';
import type { Extraction, ExtractionRequest } from '../../../contracts/extraction.ts';
import type { ModelConfig } from '../../../contracts/model-config.ts';
import { MlError } from '../errors.ts';
import { listPresets, loadPreset } from '../presets.ts';

/**
 * Resolves a request to the input of the workflow: the name of a preset to its network.
 *
 * @throws MlError PRESET_UNKNOWN
 */
export function resolveExtractionInput(request: ExtractionRequest, requestedBy: string): ExtractionInput {
  const { model, version, threshold, substitute, ...extraction } = request;
  const network = substitute === undefined ? undefined : loadPreset(substitute).model;
  return ExtractionInput.parse({
    model,
    version,
    threshold,
    extraction: { ...extraction, substitute: network },
    requestedBy,
  } satisfies Omit<ExtractionInput, 'tenant'>);
}

/**
 * The network that the thief trains. By default it is that of the model, as if the thief knew: a budget has to hold
 * against the better informed. Of a model from elsewhere nothing is known; then it is the first preset of the data set.
 *
 * @throws MlError MODEL_CONFIG_INVALID where there is none
 */
export function substituteFor(
  { substitute }: Pick<Extraction, 'substitute'>,
  target: { readonly network?: ModelConfig; readonly dataset: string },
): ModelConfig {
  const preset = (): ModelConfig | undefined =>
    listPresets()
      .map(loadPreset)
      .find(({ dataset, model }) => dataset === target.dataset && model.task === 'multiclass')?.model;
  const network = substitute ?? target.network ?? preset();
  if (network !== undefined) return network;
  const message = `no preset is made for ${target.dataset}; name one whose network is to be the substitute`;
  throw new MlError('MODEL_CONFIG_INVALID', message, { field: 'substitute' });
}
