export { QueryDetector, type Suspicion, type Thresholds } from './detector.ts';
export { MisuseError } from './errors.ts';
export { describeHardening, harden, rounded, type Hardening } from './harden.ts';
export { QueryDistances, type QueryDistancesOptions } from './query-distances.ts';
export { shapiroWilk } from './shapiro-wilk.ts';
export { ShareWindow } from './share-window.ts';
