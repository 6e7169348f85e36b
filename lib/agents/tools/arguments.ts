import { z } from 'zod';
import { Name } from '../../../contracts/reference.ts';

/** Arguments of tools. Every string and number is bounded: a model writes what it likes until something stops it. */
export const ModelArgument = Name.describe('name of a registered model, such as mnist-softmax');

const NUMBER = /^[1-9][0-9]{0,8}$/;

export const NumberArgument = z.string().max(9).regex(NUMBER, 'a version number').describe('version number');

export const VersionArgument = z
  .string()
  .max(10)
  .regex(/^(?:[1-9][0-9]{0,8}|champion|challenger|latest)$/, 'a version number, champion, challenger or latest')
  .describe('version number, or champion, challenger or latest');
