import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ERRORS } from '../../contracts/errors.ts';
import { route, type Route } from '../http/route.ts';
import type { Response } from 'express';

export interface PageRoutesOptions {
  /** The OpenAPI document; made once, after the route table is complete. */
  readonly document: () => object;
  /** Where the login page sends a person who has signed in. */
  readonly temporalUiUrl: string;
}

interface Asset {
  readonly path: string;
  readonly file: string;
  readonly type: string;
}

const tag = 'Documentation';
const SWAGGER = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const OWN = join(import.meta.dirname, 'pages');

/** Everything comes from this origin and nothing is inline; Swagger UI draws its icons from data URLs. */
const PAGE_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const ASSETS: readonly Asset[] = [
  { path: '/docs/swagger-ui.css', file: join(SWAGGER, 'swagger-ui.css'), type: 'text/css' },
  { path: '/docs/swagger-ui-bundle.js', file: join(SWAGGER, 'swagger-ui-bundle.js'), type: 'text/javascript' },
  { path: '/docs/docs.js', file: join(OWN, 'docs.js'), type: 'text/javascript' },
  { path: '/login/login.css', file: join(OWN, 'login.css'), type: 'text/css' },
  { path: '/login/login.js', file: join(OWN, 'login.js'), type: 'text/javascript' },
];

/** The OpenAPI document and the pages that people read: `/docs`, `/docs/errors`, `/login`. */
export function pageRoutes({ document, temporalUiUrl }: PageRoutesOptions): Route[] {
  return [
    route({
      method: 'get',
      path: '/openapi.json',
      operationId: 'getOpenApi',
      tag,
      summary: 'This document',
      access: 'public',
      success: { status: 200, description: 'OpenAPI 3.1.', mediaType: 'application/json' },
      handler: ({ response }) => {
        response.json(document());
      },
    }),
    page('/docs', 'getDocs', 'The API, to read and to try', join(OWN, 'docs.html')),
    page('/login', 'getLogin', 'Sign in for the Temporal UI', join(OWN, 'login.html')),
    route({
      method: 'get',
      path: '/login/settings.json',
      operationId: 'getLoginSettings',
      tag,
      summary: 'What the sign-in page links to',
      undocumented: true,
      access: 'public',
      success: { status: 200, description: 'Links.', mediaType: 'application/json' },
      handler: ({ response }) => {
        response.json({ temporalUiUrl });
      },
    }),
    route({
      method: 'get',
      path: '/docs/errors',
      operationId: 'getErrorCodes',
      tag,
      summary: 'Every error code, and what to do about it',
      access: 'public',
      success: { status: 200, description: 'A page.', mediaType: 'text/html' },
      handler: ({ response }) => {
        response.set('Content-Security-Policy', PAGE_CSP).type('html').send(errorPage());
      },
    }),
    ...ASSETS.map(({ path, file, type }) =>
      route({
        method: 'get',
        path,
        operationId: `getAsset_${path.replaceAll(/\W+/g, '_')}`,
        tag,
        summary: 'A file of a page',
        undocumented: true,
        access: 'public',
        success: { status: 200, description: 'The file.', mediaType: type },
        handler: ({ response }) => sendFile(response.type(type).set('Cache-Control', 'public, max-age=3600'), file),
      }),
    ),
  ];
}

function page(path: string, operationId: string, summary: string, file: string): Route {
  return route({
    method: 'get',
    path,
    operationId,
    tag,
    summary,
    access: 'public',
    success: { status: 200, description: 'A page.', mediaType: 'text/html' },
    handler: ({ response }) => sendFile(response.set('Content-Security-Policy', PAGE_CSP).type('html'), file),
  });
}

function sendFile(response: Response, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    response.sendFile(file, { cacheControl: false, dotfiles: 'allow' }, (error?: Error) => {
      if (error && !response.headersSent) reject(error);
      else resolve();
    });
  });
}

/** Problems point here: `type` is `/docs/errors#<code>`. */
function errorPage(): string {
  const rows = Object.entries(ERRORS).map(([code, { status, retryable, hint }]) => {
    const id = code.toLowerCase().replaceAll('_', '-');
    const again = retryable ? 'yes' : 'no';
    return `<tr id="${id}"><td><code>${code}</code></td><td>${status}</td><td>${again}</td><td>${escape(hint)}</td></tr>`;
  });
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Error codes</title>',
    '<link rel="stylesheet" href="/login/login.css"></head><body class="wide"><h1>Error codes</h1>',
    '<table><thead><tr><th>Code</th><th>HTTP status</th><th>Worth a retry</th><th>What to do</th></tr></thead><tbody>',
    ...rows,
    '</tbody></table></body></html>',
  ].join('\n');
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
