import { readFile, writeFile } from 'node:fs/promises';
import type { ScanReport } from '../../../contracts/import-model.ts';
import { adaptModel } from '../imported/adapt.ts';
import { serveChild } from '../../heavy/index.ts';
import type { ScanJob, ScanStep } from './scan-in-child.ts';
import { scanModel } from './scan.ts';

serveChild(async ({ path, adapt }: ScanJob, report: (step: ScanStep) => void): Promise<ScanReport> => {
  const bytes = await readFile(path);
  report('read');
  const scanned = scanModel(bytes);
  report('scanned');
  if (adapt !== undefined) {
    const { served, bare } = adaptModel({ scanned, ...adapt.options });
    report('adapted');
    await writeFile(adapt.served, served);
    await writeFile(adapt.bare, bare);
  }
  return scanned.report;
});
