/** FNV-1a, 64 bits (Fowler, Noll, Vo), over the UTF-16 units of a text. For names that we made ourselves, not against an adversary. */
export function nameHash(text: string): i64 {
  let hash: u64 = 0xcbf29ce484222325;
  for (let i = 0; i < text.length; i++) hash = (hash ^ <u64>text.charCodeAt(i)) * 0x100000001b3;
  return <i64>hash;
}
