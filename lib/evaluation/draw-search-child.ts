import { serveChild } from '../heavy/index.ts';
import { render } from './plots/index.ts';
import type { Picture } from './plots/index.ts';
import { searchCurves } from './plots/search-curves.ts';
import type { SearchCurves } from './plots/search-curves.ts';

serveChild((curves: SearchCurves): Promise<Picture> => render(searchCurves(curves)));
