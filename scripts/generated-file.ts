import { readFileSync, writeFileSync } from 'node:fs';

/** Writes a generated file where it is not as it should be; under `--check` it only says so, and the process ends with 1. */
export function keepGenerated(path: string, text: string): void {
  if (readOrEmpty(path) === text) return;
  if (process.argv.includes('--check')) {
    console.error(`${path} is out of date: run npm run gen`);
    process.exitCode = 1;
    return;
  }
  writeFileSync(path, text);
  console.log(`wrote ${path}`);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
