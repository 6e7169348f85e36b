import { z } from 'zod';
import { Name } from './reference.ts';

/** Records in one request; more are asked for in several. */
export const MAX_RECORDS = 1000;

/** `null`, and a feature that is left out, say that the value is missing. */
const FeatureValue = z.union([z.number(), z.string().max(10_000), z.boolean(), z.null()]);

/** Raw values by the name of the feature, as the file of the training had them. */
export const FeatureRecord = z.record(z.string(), FeatureValue);
export type FeatureRecord = z.infer<typeof FeatureRecord>;

/** Body of `POST /v1/models/{model}/predict`. */
export const PredictRequest = z.strictObject({ records: z.array(FeatureRecord).min(1).max(MAX_RECORDS) });
export type PredictRequest = z.infer<typeof PredictRequest>;

/** What a classifier says of one record. */
export const ClassPrediction = z.object({
  label: z.string(),
  /** Of `label`. */
  probability: z.number(),
  probabilities: z.record(z.string(), z.number()),
});
export type ClassPrediction = z.infer<typeof ClassPrediction>;

/** What a regression says of one record, in the unit of the target. */
export const QuantityPrediction = z.object({ value: z.number() });
export type QuantityPrediction = z.infer<typeof QuantityPrediction>;

export const PredictResponse = z.object({
  model: Name,
  version: z.string(),
  /** What a regression predicts. */
  target: z.object({ name: z.string(), unit: z.string().optional() }).optional(),
  /** One for each record, in their order: classes, or quantities. */
  predictions: z.union([z.array(ClassPrediction), z.array(QuantityPrediction)]),
  /**
   * Values unlike those of the training: outside of their range, or a category that it did not know. The model answers,
   * but nothing is known about how good such an answer is.
   */
  warnings: z.array(z.object({ record: z.int(), feature: z.string(), message: z.string() })),
  /** What was kept from the answer (`hardening`), and how many records are out of range (`out_of_range_rows`). */
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});
export type PredictResponse = z.infer<typeof PredictResponse>;
