import { AliasList } from '../../contracts/api.ts';
import { LineageAnswer, VersionLineage } from '../../contracts/step-cache.ts';
import { ApiClient, path } from '../client/index.ts';
import type { CallOptions } from '../client/index.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { renderLineage } from '../render/lineage.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';

const READ: CallOptions = { role: 'viewer' };
const QUESTIONS = ['data', 'code', 'run', 'release', 'digest'] as const;

export type LineageOptions = OutputOptions & { readonly [Question in (typeof QUESTIONS)[number]]?: string };

/** `saip models lineage`: of a version, or of all versions that came from something. */
export async function showLineage(io: Io, target: string | undefined, options: LineageOptions): Promise<ExitCode> {
  const asked = QUESTIONS.filter((question) => options[question] !== undefined);
  if (asked.length + (target === undefined ? 0 : 1) !== 1) {
    throw usageError('name a model, or exactly one of --data, --code, --run, --release and --digest');
  }
  const api = await ApiClient.open(io.env);
  if (target !== undefined) {
    const { model, version } = await resolve(api, target);
    const lineage = await api.get(path`/v1/models/${model}/versions/${version}/lineage`, VersionLineage, READ);
    present(io, options, lineage, (one) => renderLineage(one).join('\n'));
    return EXIT.ok;
  }
  const query = Object.fromEntries(asked.map((question) => [question, options[question]]));
  const answer = await api.get('/v1/lineage', LineageAnswer, { ...READ, query });
  present(io, options, answer, ({ versions }) => {
    if (versions.length === 0) return 'no version came from that';
    return versions.map((version) => renderLineage(version).join('\n')).join('\n\n');
  });
  return EXIT.ok;
}

/** `NAME`, `NAME@alias` or `NAME:version`; a name alone means its champion. */
async function resolve(api: ApiClient, target: string): Promise<{ model: string; version: string }> {
  const [, model = '', version, alias = 'champion'] = /^([^@:]+)(?::([^@:]+)|@([^@:]+))?$/.exec(target) ?? [];
  if (model === '') throw usageError(`${target} is no NAME, NAME@alias or NAME:version`);
  if (version !== undefined) return { model, version };
  const { aliases } = await api.get(path`/v1/models/${model}/aliases`, AliasList, READ);
  const found = aliases.find((candidate) => candidate.alias === alias);
  if (found !== undefined) return { model, version: found.version };
  throw usageError(`${model} has no alias ${alias}`, `saip models versions ${model} lists its versions.`);
}
