import Table from 'cli-table3';
import { loadavg } from 'node:os';
import type { Suite } from './figure.ts';

/** `make bench` runs every suite; names choose some. Exit code 1 says that a goal was missed. */
const SUITES: Readonly<Record<string, () => Promise<{ suite: Suite }>>> = {
  datasets: () => import('./datasets/suite.ts'),
  audit: () => import('./audit/suite.ts'),
  inference: () => import('./inference/suite.ts'),
  misuse: () => import('./misuse/suite.ts'),
  telemetry: () => import('./telemetry/suite.ts'),
  training: () => import('./training/suite.ts'),
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in SUITES));
if (unknown.length > 0) {
  console.error(`No such suite: ${unknown.join(', ')}. There is: ${Object.keys(SUITES).join(', ')}.`);
  process.exit(2);
}
for (const [name, load] of Object.entries(SUITES)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const { suite } = await load();
  console.log(suite.title);
  const figures = await suite.run((line) => console.log(`· ${line}`));
  const table = new Table({ head: ['', 'figure', 'measured', 'goal', 'detail'], style: { head: [], border: [] } });
  for (const { what, measured, target, met, detail } of figures)
    table.push([met ? '✓' : '✗', what, measured, target, detail]);
  console.log(table.toString());
  console.log(
    `load average: ${loadavg()
      .map((value) => value.toFixed(1))
      .join(', ')}`,
  );
  if (figures.some(({ met }) => !met)) process.exitCode = 1;
}
