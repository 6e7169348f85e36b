export * from './bao/index.ts';
export * from './mlflow/index.ts';
export * from './postgres/index.ts';
