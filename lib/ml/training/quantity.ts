/**
 * What a mean squared error of a standardised target says of the target itself.
 *
 * @param loss mean of (ŷ - y)² over standardised samples
 * @param variance population variance of the same standardised samples; 0 where all are equal: then R² is 1 without any
 * error and else 0, as in lib/evaluation
 * @returns the root of the mean squared error in the unit of the target, and R² = 1 - loss / variance
 */
export function quantityMeasures(
  loss: number,
  { scale, variance }: { readonly scale: number; readonly variance: number },
): { rmse: number; r2: number } {
  const unexplained = variance > 0 ? loss / variance : Math.sign(loss);
  return { rmse: Math.sqrt(loss) * scale, r2: 1 - unexplained };
}
