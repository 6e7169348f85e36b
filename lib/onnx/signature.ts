/**
 * Names of the outputs. A classifier's: probabilities float32 [batch, classes], class index int64 [batch]. A
 * regression's: prediction float32 [batch, 1], in the unit of the target.
 */
export const OUTPUTS = { probabilities: 'probabilities', label: 'label', prediction: 'prediction' } as const;
