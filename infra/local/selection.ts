import { SaipError } from '../../contracts/errors.ts';
import type { ServiceSpec } from './service.ts';

/**
 * The services named, and all they depend on, in the order of `services`.
 * @param names services or groups; empty means all
 * @throws SaipError REQUEST_INVALID for an unknown name
 */
export function selectServices(
  services: readonly ServiceSpec[],
  groups: Readonly<Record<string, readonly string[]>>,
  names: readonly string[],
): ServiceSpec[] {
  if (names.length === 0) return [...services];
  const known = new Map(services.map((spec) => [spec.name, spec]));
  const wanted = new Set<string>();
  const add = (name: string): void => {
    const spec = known.get(name);
    if (spec === undefined) {
      const choices = [...Object.keys(groups), ...known.keys()].join(', ');
      throw new SaipError('REQUEST_INVALID', `There is no service ${name}; choose from ${choices}.`, { field: 'only' });
    }
    wanted.add(name);
    spec.dependsOn.forEach(add);
  };
  for (const name of names) (groups[name] ?? [name]).forEach(add);
  return services.filter(({ name }) => wanted.has(name));
}
