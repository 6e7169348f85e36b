export { ApiClient, path } from './api-client.ts';
export type { CallOptions } from './api-client.ts';
export { apiAddress, localClients } from './connection.ts';
export type { Connection } from './connection.ts';
export { followEvents } from './events.ts';
export type { EventsOptions, StreamItem } from './events.ts';
export { readLogin, removeLogin, writeLogin } from './login-file.ts';
export { fixedToken, requestToken } from './token-source.ts';
export type { AccessToken, TokenSource } from './token-source.ts';
