import { expect, it } from '@jest/globals';
import { prefersOpenMetrics } from '../../../api/http/metrics-format.ts';

const PROMETHEUS_2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';

it.each<[string | undefined, boolean]>([
  [undefined, false],
  ['', false],
  ['*/*', false],
  ['text/html, */*;q=0.8', false],
  ['text/plain', false],
  ['application/openmetrics-text', true],
  ['Application/OpenMetrics-Text; Version=1.0.0', true],
  ['application/openmetrics-text;version=2.0.0', false],
  ['application/openmetrics-text;q=0, */*', false],
  ['application/openmetrics-text;q=0.5, text/plain;q=0.6', false],
  ['application/openmetrics-text, */*', true],
  ['application/openmetrics-text;q=oops', false],
  [PROMETHEUS_2, true],
  [PROMETHEUS_3, true],
])('Accept: %s wants OpenMetrics: %s', (accept, wanted) => {
  expect(prefersOpenMetrics(accept)).toBe(wanted);
});
