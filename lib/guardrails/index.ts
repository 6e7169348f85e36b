export { Guard, type Screening } from './guard.ts';
export { INJECTION_RULES, type InjectionRule } from './injection.ts';
export { SecretRegistry } from './registry.ts';
