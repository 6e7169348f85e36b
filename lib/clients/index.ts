export * from './bao/index.ts';
