import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { PLATFORM_PROCESSES, environmentFile, platformEnvironment, urls } from './environment.ts';
import { ManagedService } from './managed-service.ts';
import { identify } from './processes.ts';
import type { ServiceSpec, StackContext } from './service.ts';
import { writeStackState } from './state.ts';

/** Starts services in the order of their dependencies, keeps `stack.json` true, and stops them in reverse order. */
export class Supervisor {
  readonly #context: StackContext;
  readonly #logger: Logger;
  readonly #services = new Map<string, ManagedService>();
  readonly #startedAt = new Date().toISOString();
  #stopping = false;

  constructor(context: StackContext, logger: Logger) {
    this.#context = context;
    this.#logger = logger;
    writeEnvironmentFiles(context);
  }

  /** Adds services to what runs; those that run already are left alone, those that crashed are tried at once. */
  start(specs: readonly ServiceSpec[]): void {
    if (this.#stopping) return;
    for (const spec of specs) {
      const known = this.#services.get(spec.name);
      known?.retry();
      if (known !== undefined) continue;
      const service = new ManagedService({
        spec,
        context: this.#context,
        logger: this.#logger,
        onChange: () => this.#publish(true),
      });
      this.#services.set(spec.name, service);
      void this.#startAfterDependencies(service);
    }
    this.#publish(true);
  }

  /** Stops each service once everything that depends on it has stopped. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const stopped = new Map<string, Promise<void>>();
    const stopOne = (service: ManagedService): Promise<void> => {
      const known = stopped.get(service.spec.name);
      if (known !== undefined) return known;
      const dependents = [...this.#services.values()].filter((s) => s.spec.dependsOn.includes(service.spec.name));
      const ending = Promise.all(dependents.map(stopOne)).then(() => service.stop());
      stopped.set(service.spec.name, ending);
      return ending;
    };
    await Promise.all([...this.#services.values()].map(stopOne));
    this.#publish(false);
  }

  async #startAfterDependencies(service: ManagedService): Promise<void> {
    const dependencies = [...this.#services.values()].filter(({ spec }) => service.spec.dependsOn.includes(spec.name));
    await Promise.all(dependencies.map((dependency) => dependency.whenHealthy()));
    if (!this.#stopping) service.start();
  }

  #publish(running: boolean): void {
    const { ports, stackId, layout } = this.#context;
    writeStackState(layout.stateFile, {
      id: stackId,
      ports,
      ...(running && { startedAt: this.#startedAt, supervisor: identify(process.pid) }),
      services: [...this.#services.values()].map((service) => service.status),
      urls: {
        api: urls.api(ports),
        docs: urls.docs(ports),
        temporalUi: urls.temporalUi(ports),
        mlflow: urls.mlflow(ports),
      },
    });
  }
}

function writeEnvironmentFiles(context: StackContext): void {
  const { env } = context.layout;
  mkdirSync(env, { recursive: true, mode: 0o700 });
  for (const name of PLATFORM_PROCESSES) {
    const content = environmentFile(platformEnvironment(context, name));
    writeFileSync(join(env, `${name}.env`), content, { mode: 0o600 });
  }
}
