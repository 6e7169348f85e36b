import { DatasetDetail, DatasetList } from '../../contracts/api.ts';
import { DatasetProfileView } from '../../contracts/own-data.ts';
import { ApiClient, path } from '../client/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderPairs, renderTable } from '../render/table.ts';
import { renderProfile } from '../render/table-profile.ts';
import { formatTime } from '../render/time.ts';

const READ = { role: 'viewer' } as const;

export async function listDatasets(io: Io, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const list = await api.get('/v1/datasets', DatasetList, READ);
  present(io, options, list, ({ datasets }) =>
    renderTable(
      ['data set', 'version', 'licence', 'added by', 'added'],
      datasets.map(({ name, version, license, addedBy, addedAt }) => [
        name,
        version ?? 'built in',
        license,
        addedBy,
        addedAt === undefined ? undefined : formatTime(addedAt),
      ]),
      io,
    ),
  );
  return EXIT.ok;
}

export async function showDataset(io: Io, name: string, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const detail = await api.get(path`/v1/datasets/${name}`, DatasetDetail, READ);
  present(io, options, detail, ({ addedAt, addedBy, description, license, cardSha256, title, version }) =>
    renderPairs([
      ['data set', name],
      ['title', title],
      ['version', version],
      ['licence', license],
      ['card', cardSha256],
      ['added by', addedBy],
      ['added', addedAt === undefined ? undefined : formatTime(addedAt)],
      ['about', description],
    ]),
  );
  return EXIT.ok;
}

export async function showProfile(io: Io, name: string, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const view = await api.get(path`/v1/datasets/${name}/profile`, DatasetProfileView, READ);
  present(io, options, view, ({ profile, version }) =>
    [`${name}, version ${version}`, renderProfile(profile, io)].join('\n\n'),
  );
  return EXIT.ok;
}

export interface WithdrawOptions extends OutputOptions {
  readonly reason?: string;
}

export async function withdrawDataset(io: Io, name: string, options: WithdrawOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { reason } = options;
  await api.delete(path`/v1/datasets/${name}`, { role: 'trainer', query: { reason } });
  present(io, options, { name, withdrawn: true }, () => `${name} is no longer in use`);
  return EXIT.ok;
}
