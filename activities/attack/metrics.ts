import type { MeasuredVersion } from '../../contracts/attack-retest.ts';
import type { Metric } from '../../lib/clients/index.ts';

/** `clean_accuracy`, `robust_accuracy_pgd-20_eps_0.2`, …, with the bounds of the worst cases' 95 % intervals. */
export function attackMetrics({ measured, stronger }: MeasuredVersion): Pick<Metric, 'key' | 'value'>[] {
  const worst = measured.worst.flatMap(({ epsilon, accuracy }) => {
    const key = `robust_accuracy_worst_eps_${epsilon}`;
    return [
      { key, value: accuracy.value },
      { key: `${key}_low`, value: accuracy.low },
      { key: `${key}_high`, value: accuracy.high },
    ];
  });
  return [
    { key: 'clean_accuracy', value: measured.clean.value },
    { key: 'served_agreement', value: measured.served.same / measured.served.examples },
    { key: 'attack_seconds', value: measured.seconds },
    ...measured.attacks.map(({ attack, epsilon, accuracy }) => metric(attack, epsilon, accuracy.value)),
    ...worst,
    ...(stronger === undefined ? [] : [metric(stronger.attack, stronger.epsilon, stronger.accuracy.value)]),
  ];
}

/** MLflow allows letters, digits, `_ - . / :` and spaces in a key. */
function metric(attack: string, epsilon: number, value: number): { key: string; value: number } {
  return { key: `robust_accuracy_${attack.replace('@', '_')}_eps_${epsilon}`, value };
}
