import { serveChild } from '../heavy/index.ts';
import { rasterise } from './plots/rasterise.ts';

serveChild((svg: string): Uint8Array => rasterise(svg));
