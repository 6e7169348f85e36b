import { serveChild } from '../heavy/index.ts';
import { extractionCurves } from './plots/extraction-curves.ts';
import type { ExtractionPlot } from './plots/extraction-curves.ts';
import { render } from './plots/index.ts';
import type { Picture } from './plots/index.ts';

serveChild((plot: ExtractionPlot): Promise<Picture> => render(extractionCurves(plot)));
