import type { Recovery, TimelineEntry } from '../../control-plane/domain/model.ts';

/** Said at every wait or change of mind; how often depends on the moment. */
const INCIDENTAL = new Set(['holds', 'health', 'inconclusive']);

/**
 * The course of a recovery, one line per entry: `feature event`, with the share that a step leads to. An attempt that failed is
 * one with its repetitions: how often an upstream that is still down is probed is a matter of chance.
 */
export function courseOf({ timeline }: Pick<Recovery, 'timeline'>): string[] {
  const lines = timeline.filter(({ event }) => !INCIDENTAL.has(event)).map(lineOf);
  const isRepeated = (index: number) => {
    const [attempt, failure] = [lines[index - 2], lines[index - 1]];
    return failure?.endsWith(' attempt-failed') && lines[index] === attempt && lines[index + 1] === failure;
  };
  for (let index = lines.length - 1; index >= 2; index--) if (isRepeated(index)) lines.splice(index, 2);
  return lines;
}

function lineOf({ feature, event, reason }: TimelineEntry): string {
  const percent = reason.numbers?.['percent'];
  return [feature, event, percent === undefined ? undefined : `${percent} %`].filter((part) => part !== undefined).join(' ');
}
