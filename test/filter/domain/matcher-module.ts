import type { ASUtil } from '@assemblyscript/loader';
import { loadFilter, type Runtime } from '../compile.ts';
import { withStrings } from './strings.ts';

interface MatcherExports {
  reset(): void;
  addFeature(): void;
  addRoute(host: number, methods: number, kind: number, path: number): void;
  build(): void;
  needsMethod(): number;
  needsHost(): number;
  request(method: number, host: number, path: number): void;
  match(): number;
  matchTimes(times: number): number;
  mark(): number;
}

export interface Route {
  host?: string;
  methods?: string[];
  kind: 'exact' | 'prefix' | 'template';
  path: string;
}

export interface Request {
  method: string;
  host: string;
  path: string;
}

const KINDS = ['exact', 'prefix', 'template'];

export const get = (path: string, host = 'shop.example.org'): Request => ({ method: 'GET', host, path });

/** The compiled matcher, asked in the words of a policy. */
export class MatcherModule {
  readonly exports: ASUtil & MatcherExports;

  private constructor(exports: ASUtil & MatcherExports) {
    this.exports = exports;
  }

  static async load(runtime?: Runtime): Promise<MatcherModule> {
    return new MatcherModule(await loadFilter<MatcherExports>('domain-matcher', runtime));
  }

  build(features: Route[][]): void {
    const { exports } = this;
    exports.reset();
    for (const routes of features) {
      exports.addFeature();
      for (const { host = '', methods = [], kind, path } of routes) {
        withStrings(exports, (put) => exports.addRoute(put(host), put(methods.join(',')), KINDS.indexOf(kind), put(path)));
      }
    }
    exports.build();
  }

  /** Index of the feature that takes the request, -1 for none. */
  ask({ method, host, path }: Request): number {
    withStrings(this.exports, (put) => this.exports.request(put(method), put(host), put(path)));
    return this.exports.match();
  }
}
