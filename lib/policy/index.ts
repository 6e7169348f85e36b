export { Authorizer } from './authorizer.ts';
export type { AuthorizationRequest, AuthorizerOptions, Decision, Resource } from './authorizer.ts';
export { CompiledPolicy } from './compiled-policy.ts';
export type { CompiledPolicyOptions } from './compiled-policy.ts';
export { DecisionCache } from './decision-cache.ts';
export type { DecisionCacheOptions } from './decision-cache.ts';
export { PolicyError } from './errors.ts';
