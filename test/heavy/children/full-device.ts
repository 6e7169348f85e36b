import { writeFileSync } from 'node:fs';
import { serveChild } from '../../../lib/heavy/index.ts';

/** Writes to a device that has no room (full(4)). */
serveChild((): void => writeFileSync('/dev/full', 'anything'));
