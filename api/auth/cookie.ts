import type { IncomingMessage } from 'node:http';
import type { CookieOptions, Response } from 'express';

const NAME = 'saip_session';

/** The cookie is for `/v1` of this origin; `Secure` wherever the API is reached by https. */
export interface SessionCookieOptions {
  readonly secure: boolean;
}

export class SessionCookie {
  readonly #options: CookieOptions;

  constructor(options: SessionCookieOptions) {
    this.#options = { httpOnly: true, sameSite: 'strict', secure: options.secure, path: '/v1' };
  }

  set(response: Response, id: string, maxAgeSeconds: number): void {
    response.cookie(NAME, id, { ...this.#options, maxAge: maxAgeSeconds * 1000 });
  }

  clear(response: Response): void {
    response.clearCookie(NAME, this.#options);
  }

  read(request: Pick<IncomingMessage, 'headers'>): string | undefined {
    for (const pair of (request.headers.cookie ?? '').split(';')) {
      const [name, value] = pair.trim().split('=');
      if (name === NAME && value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value)) return value;
    }
    return undefined;
  }
}
