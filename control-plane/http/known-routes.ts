import type { Scope } from '../contract/rest/tokens.ts';
import type { App } from './route.ts';

/** A route as it was registered. */
export interface KnownRoute {
  readonly method: string;
  readonly url: string;
  /** undefined: it does not say. */
  readonly scopes: readonly (Scope | 'open')[] | undefined;
}

/** Gathers all routes that are registered from now on. */
export function knownRoutes(app: App): readonly KnownRoute[] {
  const routes: KnownRoute[] = [];
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const each of [method].flat()) routes.push({ method: each, url, scopes: config?.scopes });
  });
  return routes;
}

/** Methods that a path has. */
export function methodsOf(path: string, routes: readonly KnownRoute[]): string[] {
  const methods = routes.filter(({ url }) => matches(path.split('/'), url.split('/'))).map(({ method }) => method);
  return [...new Set(methods)].sort();
}

function matches(path: readonly string[], pattern: readonly string[]): boolean {
  if (path.length !== pattern.length) return false;
  return pattern.every((part, index) => part === path[index] || (part.startsWith(':') && path[index] !== ''));
}
