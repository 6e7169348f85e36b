import type { HistoryPoint } from '../history.ts';
import type { ClassificationReport } from '../report.ts';
import { confusionMatrix } from './confusion-matrix.ts';
import { predictedAgainstTrue, residualPlot } from './regression.ts';
import type { RegressionReport } from '../regression.ts';
import { reliabilityDiagram } from './reliability.ts';
import type { PlotSpec } from './theme.ts';
import { trainingCurves } from './training-curves.ts';
import { isImageShape, worstMistakes } from './worst-mistakes.ts';
import type { ImageSet } from './worst-mistakes.ts';

export { render } from './render.ts';
export type { Picture } from './render.ts';
export type { PlotSpec } from './theme.ts';

/** The pictures of an evaluation by file name without extension: no curves without a history, no grid without images. */
export function evaluationPlots(o: {
  report: ClassificationReport;
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

/** The pictures of a regression's evaluation. */
export function regressionPlots(o: {
  report: RegressionReport;
  history: readonly HistoryPoint[];
  truths: Float32Array;
  predicted: Float32Array;
}): Record<string, PlotSpec> {
  const loss = 'Loss (squared error of the standardised target, log scale)';
  return {
    ...(o.history.length > 0 ? { 'training-curves': trainingCurves(o.history, o.report.model, loss) } : {}),
    'predicted-against-true': predictedAgainstTrue(o),
    residuals: residualPlot(o),
  };
}
