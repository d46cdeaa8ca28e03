import { Key, Place, Reason } from "./contract.gen";
import { HashTable } from "./hash-table";
import { say } from "./names";
import { Problems } from "./problem";
import { Items, Reader } from "./reader";

/** Feature names are different. Gives the index of each by the hash of its name. */
export function nameProblems(features: Items, prefix: string, problems: Problems): HashTable {
  const indexes = new HashTable(features.count);
  let index = 0;
  for (let item = features.first(); item >= 0; item = features.next(item)) {
    const feature = features.object(item);
    const first = indexes.note(feature.hash(Key.Name), index);
    if (first >= 0) {
      const path = prefix + say(Place.Name, index.toString(), "", "");
      problems.add(path, say(Reason.SameName, first.toString(), feature.text(Key.Name), ""));
    }
    index++;
  }
  return indexes;
}

/** Dependencies name other features of the policy, once each, and in no cycle. */
export function dependencyProblems(features: Items, indexes: HashTable, prefix: string, problems: Problems): void {
  const names: string[] = [];
  const targets: StaticArray<i32>[] = [];
  for (let item = features.first(); item >= 0; item = features.next(item)) {
    const feature = features.object(item);
    names.push(feature.text(Key.Name));
    targets.push(targetsOf(feature, targets.length, indexes, prefix, problems));
  }
  cycleProblems(names, targets, prefix, problems);
}

function dependencyPath(prefix: string, index: i32, position: i32): string {
  return prefix + say(Place.Dependency, index.toString(), position.toString(), "");
}

/** By dependency of the feature, the index of the feature it names, or -1. */
function targetsOf(feature: Reader, index: i32, indexes: HashTable, prefix: string, problems: Problems): StaticArray<i32> {
  const self = feature.hash(Key.Name);
  const dependencies = feature.list(Key.DependsOn);
  const targets = new StaticArray<i32>(dependencies.count);
  targets.fill(-1);
  let position = 0;
  for (let item = dependencies.first(); item >= 0; item = dependencies.next(item)) {
    const dependency = dependencies.object(item);
    const name = dependency.text(Key.Feature);
    const hash = dependency.hash(Key.Feature);
    const target = indexes.find(hash);
    const isRepeated = target >= 0 && targets.includes(target);
    const isSound = target >= 0 && hash != self && !isRepeated;
    const reason = target < 0 ? Reason.NoSuchFeature : isRepeated ? Reason.Twice : Reason.Itself;
    if (!isSound) problems.add(dependencyPath(prefix, index, position), say(reason, name, "", ""));
    targets[position++] = isSound ? target : -1;
  }
  return targets;
}

/** One problem per dependency that closes a cycle, in a search from the first feature on. Without recursion: chains may be long. */
function cycleProblems(names: string[], targets: StaticArray<i32>[], prefix: string, problems: Problems): void {
  const count = names.length;
  const looked = new StaticArray<i32>(count); // at which dependency the search is; past the last one: done
  const isSeen = new StaticArray<bool>(count); // on the trail, or done
  const trail = new StaticArray<i32>(count);
  for (let start = 0; start < count; start++) {
    let depth = 0;
    if (!isSeen[start]) trail[depth++] = start;
    isSeen[start] = true;
    while (depth > 0) {
      const index = trail[depth - 1];
      const position = looked[index]++;
      if (position >= targets[index].length) {
        depth--;
        continue;
      }
      const target = targets[index][position];
      if (target < 0) continue;
      if (!isSeen[target]) {
        isSeen[target] = true;
        trail[depth++] = target;
      } else if (looked[target] <= targets[target].length && !problems.isFull) {
        problems.add(dependencyPath(prefix, index, position), say(Reason.Cycle, cycle(names, trail, depth, target), "", ""));
      }
    }
  }
}

/** The trail from `target` on, and `target` again. */
function cycle(names: string[], trail: StaticArray<i32>, depth: i32, target: i32): string {
  let text = "";
  let isIn = false;
  for (let i = 0; i < depth; i++) {
    isIn = isIn || trail[i] == target;
    if (isIn) text += names[trail[i]] + " -> ";
  }
  return text + names[target];
}
