import { z } from 'zod';
import { JWT_TOKEN_TYPE, TOKEN_EXCHANGE } from '../../contracts/token.ts';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { fetchApi } from './http.ts';
import { postGrant } from './token-source.ts';
import type { AccessToken } from './token-source.ts';

const Answer = z.object({ value: z.string().min(1) });

/**
 * The identity token of a GitHub Actions job, for `audience`. The job's own variables say where to get it.
 * @throws CliError `forbidden` where the job may not have one
 */
export async function pipelineToken(env: NodeJS.ProcessEnv, audience: string): Promise<string> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: address, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } = env;
  const url = URL.parse(address ?? '');
  if (url === null || bearer === undefined || bearer === '') {
    throw new CliError('this is no GitHub Actions job that may ask for an identity token', {
      exitCode: EXIT.forbidden,
      hint: 'Give the job the permission id-token: write.',
    });
  }
  url.searchParams.set('audience', audience);
  const response = await fetchApi(url, { headers: { authorization: `Bearer ${bearer}`, accept: 'application/json' } });
  const answer = Answer.safeParse(await response.json().catch(() => undefined));
  if (response.ok && answer.success) return answer.data.value;
  throw new CliError(`GitHub gave no identity token (${String(response.status)})`, { exitCode: EXIT.forbidden });
}

/** RFC 8693. @throws CliError with the API's reason where it refuses */
export function exchangeToken(apiUrl: string, token: string): Promise<AccessToken> {
  return postGrant(apiUrl, {
    grant_type: TOKEN_EXCHANGE,
    subject_token: token,
    subject_token_type: JWT_TOKEN_TYPE,
  });
}
