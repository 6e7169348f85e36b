export { Authorizer } from './authorizer.ts';
export type { AuthorizationRequest, AuthorizerOptions, Decision, Resource } from './authorizer.ts';
export { PolicyError } from './errors.ts';
