import { SaipError, type ErrorOptions } from '../../../contracts/errors.ts';

export type MlflowErrorCode = 'MLFLOW_UNAVAILABLE' | 'MLFLOW_REJECTED';

/** MLflow did not answer, or refused. `errorCode` is MLflow's own, e.g. `RESOURCE_DOES_NOT_EXIST`. */
export class MlflowError extends SaipError<MlflowErrorCode> {
  override readonly name = 'MlflowError';
  readonly errorCode: string | undefined;

  constructor(code: MlflowErrorCode, message: string, options: ErrorOptions & { readonly errorCode?: string } = {}) {
    super(code, message, options);
    this.errorCode = options.errorCode;
  }
}

/** Whether MLflow refused for this reason. */
export function isRefusal(error: unknown, errorCode: string): boolean {
  return error instanceof MlflowError && error.errorCode === errorCode;
}
