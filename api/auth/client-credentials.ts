import type { ClientCredentialsGrant } from '../../contracts/token.ts';
import { ApiError } from '../errors.ts';

export interface ClientLogin {
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * The client of a token request: by HTTP Basic (RFC 6749 section 2.3.1, both parts form-encoded) or in the body, and
 * not by both.
 * @throws {ApiError} `REQUEST_INVALID` that names what is missing
 */
export function clientLogin(authorization: string | undefined, body: ClientCredentialsGrant): ClientLogin {
  const basic = authorization === undefined ? undefined : fromBasic(authorization);
  if (basic) {
    if (body.client_secret !== undefined || (body.client_id !== undefined && body.client_id !== basic.clientId)) {
      throw invalid('body.client_id', 'Send the client once: by HTTP Basic or in the body.');
    }
    return basic;
  }
  if (body.client_id === undefined) throw invalid('body.client_id', 'client_id is missing.');
  if (body.client_secret === undefined) throw invalid('body.client_secret', 'client_secret is missing.');
  return { clientId: body.client_id, clientSecret: body.client_secret };
}

function fromBasic(header: string): ClientLogin {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header)?.[1];
  const [id, secret] = splitOnce(Buffer.from(encoded ?? '', 'base64').toString('utf8'));
  try {
    const login = { clientId: formDecode(id), clientSecret: formDecode(secret) };
    if (login.clientId !== '' && login.clientSecret !== '') return login;
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
  }
  throw invalid('header.authorization', 'The Authorization header is not HTTP Basic with a client id and secret.');
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf(':');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

function invalid(field: string, message: string): ApiError {
  return new ApiError('REQUEST_INVALID', message, { field });
}
