import { filterLabels } from '../control-plane/contract/metrics.ts';

export interface StatsTag {
  readonly tag_name: string;
  readonly regex: string;
}

/** Any label in front: `<label>=.=<value>;.;`, of filters before 0.2.0 `<label>=.=<value>;.` */
const label = '[a-z_]+=\\.=[^;]*;\\.;?';

/** Envoy's tag specifiers for every label of the filter's metrics: the outer group is cut from the name, the inner one is the value. */
export function statsTags(): StatsTag[] {
  return filterLabels().map((name) => ({ tag_name: name, regex: `^wasmcustom\\.(?:${label})*?(${name}=\\.=([^;]*);\\.;?)` }));
}
