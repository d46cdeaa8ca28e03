/**
 * `stats_config` as Istio's agent writes it: tools/packaging/common/envoy_bootstrap.json (alike in release-1.27 to release-1.31) with the
 * prefixes of pkg/bootstrap/config.go. The entry of an extra tag comes once for each tag of a workload's `extraStatTags`.
 */
export function istioStatsConfig(extraStatTags: readonly string[]) {
  return {
    use_all_default_tags: false,
    stats_tags: [
      { tag_name: 'cluster_name', regex: '^cluster(\\.(.+);)' },
      {
        tag_name: 'http_conn_manager_prefix',
        regex: '^http\\.(((?:[_.[:digit:]\\w]*|[_\\[\\]aAbBcCdDeEfF[:digit:]\\w\\:]*));\\.)',
      },
      { tag_name: 'thread_name', regex: '^server(\\.(.+))\\.watchdog' },
      { tag_name: 'tcp_prefix', regex: '^tcp\\.((.*?)\\.)\\w+?$' },
      { tag_name: 'response_code', regex: '_rq(_(\\d{3}))$' },
      { tag_name: 'response_code_class', regex: '_rq(_(\\dxx))$' },
      {
        tag_name: 'http_conn_manager_listener_prefix',
        regex: '^listener(?=\\.).*?\\.http\\.(((?:[_.[:digit:]]*|[_\\[\\]aAbBcCdDeEfF[:digit:]]*))\\.)',
      },
      { tag_name: 'listener_address', regex: '^listener\\.(((?:[_.[:digit:]]*|[_\\[\\]aAbBcCdDeEfF[:digit:]]*))\\.)' },
      { tag_name: 'mongo_prefix', regex: '^mongo\\.(.+?)\\.(collection|cmd|cx_|op_|delays_|decoding_)(.*?)$' },
      ...extraStatTags.map((tag) => ({ tag_name: tag, regex: `(${tag}=\\.=(.*?);\\.;)` })),
      { tag_name: 'cache', regex: '(cache\\.(.+?)\\.)' },
      { tag_name: 'component', regex: '(component\\.(.+?)\\.)' },
      { tag_name: 'tag', regex: '(tag\\.(.+?);\\.)' },
      { tag_name: 'wasm_filter', regex: '(wasm_filter\\.(.+?)\\.)' },
      { tag_name: 'authz_enforce_result', regex: 'rbac(\\.(allowed|denied))' },
      { tag_name: 'authz_dry_run_action', regex: '(\\.istio_dry_run_(allow|deny)_)' },
      { tag_name: 'authz_dry_run_result', regex: '(\\.shadow_(allowed|denied))' },
    ],
    stats_matcher: {
      inclusion_list: {
        patterns: ['reporter=', 'cluster_manager', 'listener_manager', 'server', 'cluster.xds-grpc', 'wasm', 'component', 'istio'].map(
          (prefix) => ({ prefix }),
        ),
      },
    },
  };
}
