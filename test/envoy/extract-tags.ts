/** What Envoy's tag extraction makes of a stat's name: each expression's outer group is cut out, its inner one is the tag's value. */
export function extractTags(
  full: string,
  specifiers: readonly { readonly tag_name: string; readonly regex: string }[],
): { name: string; tags: Record<string, string> } {
  const tags: Record<string, string> = {};
  const cut = new Set<number>();
  for (const { tag_name, regex } of specifiers) {
    const match = new RegExp(regex.replaceAll('[:digit:]', '\\d'), 'd').exec(full);
    const [from, to] = match?.indices?.[1] ?? [0, 0];
    if (match === null || to === from) continue;
    tags[tag_name] = match[2] ?? match[1] ?? '';
    for (let place = from; place < to; place++) cut.add(place);
  }
  return { name: [...full].filter((_, place) => !cut.has(place)).join(''), tags };
}
