import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ApiError } from '../../../api/errors.ts';
import { below, validate } from '../../../api/http/validate.ts';
import { SaipError } from '../../../contracts/errors.ts';

function errorsOf(work: () => unknown): readonly { field: string; message: string }[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ApiError) return error.errors ?? [];
    throw error;
  }
  return [];
}

const fields = (schema: z.ZodType, value: unknown) =>
  errorsOf(() => validate(schema, value, 'body')).map(({ field }) => field);

describe('validate', () => {
  it('names every wrong field by its path', () => {
    const schema = z.strictObject({ name: z.string(), rows: z.array(z.object({ size: z.int() })) });
    expect(fields(schema, { rows: [{ size: 1 }, { size: 'x' }] })).toEqual(['body.name', 'body.rows[1].size']);
    expect(fields(schema, { name: 'x', rows: [], extra: 1, more: 2 })).toEqual(['body.extra', 'body.more']);
    expect(fields(schema, 'text')).toEqual(['body']);
  });

  it('blames the branch of a union that the caller meant', () => {
    const schema = z.object({
      model: z.union([z.string().max(3), z.strictObject({ name: z.string(), units: z.int() })]),
    });
    expect(fields(schema, { model: { name: 'x', units: 1.5 } })).toEqual(['body.model.units']);
    expect(fields(schema, { model: 'long' })).toEqual(['body.model']);
    expect(fields(schema, { model: 7 })).toEqual(['body.model']);
    const login = z.union([
      z.strictObject({ token: z.string() }),
      z.strictObject({ id: z.string(), secret: z.string() }),
    ]);
    expect(fields(login, { id: 'x' })).toEqual(['body.secret']);
  });

  it('gives the parsed value, with its defaults', () => {
    expect(validate(z.object({ limit: z.coerce.number().default(50) }), {}, 'query')).toEqual({ limit: 50 });
  });
});

describe('below', () => {
  it('names a field of an inner input by where it is in the request', () => {
    const inner = () => {
      throw new SaipError('PRESET_UNKNOWN', 'no such preset', { field: 'model' });
    };
    expect(() => below('body.train', inner)).toThrow(
      expect.objectContaining({ code: 'PRESET_UNKNOWN', field: 'body.train.model' }),
    );
  });

  it('leaves errors alone that name no field', () => {
    const error = new SaipError('INTERNAL', 'oops');
    expect(() =>
      below('body', () => {
        throw error;
      }),
    ).toThrow(error);
  });
});
