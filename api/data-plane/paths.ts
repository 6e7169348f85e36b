import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Resource } from '../../lib/policy/index.ts';
import type { RawHandling, Route } from '../http/route.ts';
import { validate } from '../http/validate.ts';

/** A route that the data plane answers. */
export type PlaneRoute = Route & { readonly plane: RawHandling };

/** What a path names. */
export interface Target {
  readonly params: unknown;
  readonly resource: Resource;
}

interface Pattern {
  readonly route: PlaneRoute;
  readonly path: RegExp;
  readonly names: readonly string[];
}

export interface Match {
  readonly route: PlaneRoute;
  /** @throws {ApiError} `REQUEST_INVALID`; URIError where the path is not correctly percent-encoded */
  readonly target: () => Target;
}

/** Paths whose target is remembered: far more than there are models and aliases. */
const REMEMBERED = 2_000;

/** Finds the route of a path as Express would: whatever its case, with or without a slash at its end. */
export class Paths {
  readonly #patterns: readonly Pattern[];
  readonly #known = new LRUCache<string, Match>({ max: REMEMBERED });

  constructor(routes: readonly Route[]) {
    this.#patterns = routes.filter(isPlaneRoute).map((route) => ({
      route,
      path: new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, '([^/]+)')}/?$`, 'i'),
      names: [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name),
    }));
  }

  find(method: string, path: string): Match | undefined {
    const place = `${method} ${path}`;
    const known = this.#known.get(place);
    if (known !== undefined) return known;
    for (const { route, path: pattern, names } of this.#patterns) {
      if (route.method.toUpperCase() !== method) continue;
      const found = pattern.exec(path);
      if (found === null) continue;
      const texts = found.slice(1);
      // Remembered where it is one: only once it was asked for is that known.
      const target = (): Target => {
        const made = targetOf(route, names, texts);
        this.#known.set(place, { route, target: () => made });
        return made;
      };
      return { route, target };
    }
    return undefined;
  }
}

function targetOf(route: PlaneRoute, names: readonly string[], texts: readonly string[]): Target {
  const given = Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(texts[index] ?? '')]));
  const params = validate(route.params ?? z.unknown(), given, 'path');
  return { params, resource: route.plane.resource(params) };
}

function isPlaneRoute(route: Route): route is PlaneRoute {
  return route.plane !== undefined;
}

/** The path of a request target, in origin form or, as proxies send it, in absolute form (RFC 9112 section 3.2). */
export function pathOf(target: string): string {
  const text = target.startsWith('/') ? target : (URL.parse(target)?.pathname ?? target);
  const end = text.search(/[?#]/);
  return end < 0 ? text : text.slice(0, end);
}
