import { DatasetDetail, DatasetList } from '../../contracts/api.ts';
import { ApiClient, path } from '../client/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderPairs, renderTable } from '../render/table.ts';

export async function listDatasets(io: Io, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const list = await api.get('/v1/datasets', DatasetList, { role: 'viewer' });
  present(io, options, list, ({ datasets }) =>
    renderTable(
      ['data set', 'title', 'licence'],
      datasets.map(({ name, title, license }) => [name, title, license]),
      io,
    ),
  );
  return EXIT.ok;
}

export async function showDataset(io: Io, name: string, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const detail = await api.get(path`/v1/datasets/${name}`, DatasetDetail, { role: 'viewer' });
  present(io, options, detail, ({ title, description, license, cardSha256 }) =>
    renderPairs([
      ['data set', name],
      ['title', title],
      ['licence', license],
      ['card', cardSha256],
      ['about', description],
    ]),
  );
  return EXIT.ok;
}
