import { DatabaseError } from './errors.ts';

/**
 * Versions are whole numbers from 1 on; over the API they are text.
 * @throws DatabaseError MODEL_VERSION_UNKNOWN for text that no version can have
 */
export function parseVersion(model: string, version: string): number {
  if (/^[1-9]\d{0,8}$/.test(version)) return Number(version);
  throw new DatabaseError('MODEL_VERSION_UNKNOWN', `The model ${model} has no version "${version.slice(0, 32)}".`);
}
