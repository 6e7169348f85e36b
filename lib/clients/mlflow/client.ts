import { Artifacts } from './artifacts.ts';
import { LoggedModels } from './logged-models.ts';
import { RegisteredModels } from './registered-models.ts';
import { Runs } from './runs.ts';
import { Transport, type TransportOptions } from './transport.ts';

/**
 * The part of MLflow 3's REST interface that the platform uses. Every write may be repeated: what has an identity is
 * searched for before it is made.
 *
 * Methods throw MlflowError: `MLFLOW_UNAVAILABLE` after a few attempts when the server does not answer or says 5xx,
 * `MLFLOW_REJECTED` with MLflow's `errorCode` when it refuses.
 */
export class MlflowClient {
  readonly runs: Runs;
  readonly artifacts: Artifacts;
  readonly loggedModels: LoggedModels;
  readonly registeredModels: RegisteredModels;
  readonly #http: Transport;

  constructor(options: TransportOptions | Transport) {
    this.#http = options instanceof Transport ? options : new Transport(options);
    this.runs = new Runs(this.#http);
    this.artifacts = new Artifacts(this.#http);
    this.loggedModels = new LoggedModels(this.#http);
    this.registeredModels = new RegisteredModels(this.#http);
  }

  /** The same client for a caller that may give up. */
  with(signal: AbortSignal): MlflowClient {
    return new MlflowClient(this.#http.with(signal));
  }
}
