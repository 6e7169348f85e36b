/** Names of the outputs: probabilities float32 [batch, classes], class index int64 [batch]. */
export const OUTPUTS = { probabilities: 'probabilities', label: 'label' } as const;
