import type { HistoryPoint } from '../history.ts';
import type { EvaluationReport } from '../report.ts';
import { confusionMatrix } from './confusion-matrix.ts';
import { reliabilityDiagram } from './reliability.ts';
import type { PlotSpec } from './theme.ts';
import { trainingCurves } from './training-curves.ts';
import { isImageShape, worstMistakes } from './worst-mistakes.ts';
import type { ImageSet } from './worst-mistakes.ts';

export { render } from './render.ts';
export type { Picture } from './render.ts';

/** The pictures of an evaluation by file name without extension: no curves without a history, no grid without images. */
export function evaluationPlots(o: {
  report: EvaluationReport;
  history: readonly HistoryPoint[];
  samples: ImageSet;
}): Record<string, PlotSpec> {
  return {
    ...(o.history.length > 0 ? { 'training-curves': trainingCurves(o.history, o.report.model) } : {}),
    'confusion-matrix': confusionMatrix(o.report),
    'reliability-diagram': reliabilityDiagram(o.report),
    ...(isImageShape(o.samples.shape) ? { 'worst-mistakes': worstMistakes(o.report, o.samples) } : {}),
  };
}
