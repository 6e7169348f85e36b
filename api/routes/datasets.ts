import { z } from 'zod';
import { DatasetDetail, DatasetList, type DatasetSummary } from '../../contracts/api.ts';
import { Name } from '../../contracts/reference.ts';
import { cardDigest, datasetNames, loadCard, type DatasetCard } from '../../lib/datasets/index.ts';
import { route, type Route } from '../http/route.ts';

const tag = 'Data sets';

export function datasetRoutes(): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/datasets',
      operationId: 'listDatasets',
      tag,
      summary: 'Data sets that can be trained on',
      access: 'dataset:read',
      success: { status: 200, description: 'All of them.', schema: DatasetList },
      handler: async () => {
        const cards = await Promise.all(datasetNames().map(loadCard));
        return { datasets: cards.map(summaryOf) };
      },
    }),
    route({
      method: 'get',
      path: '/v1/datasets/{name}',
      operationId: 'getDataset',
      tag,
      summary: 'The Croissant card of a data set',
      access: 'dataset:read',
      params: z.strictObject({ name: Name }),
      success: { status: 200, description: 'The card.', schema: DatasetDetail },
      errors: ['DATASET_UNKNOWN'],
      handler: async ({ params }) => {
        const card = await loadCard(params.name);
        return { ...summaryOf(card), card: { ...card } };
      },
    }),
  ];
}

function summaryOf(card: DatasetCard): DatasetSummary {
  return {
    name: card.name,
    title: card.name,
    description: card.description,
    license: [card.license].flat().join(' OR '),
    cardSha256: cardDigest(card),
  };
}
