import { join } from 'node:path';

/** Root of the checkout this code runs from. */
export const CHECKOUT = join(import.meta.dirname, '..', '..');
