import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../../scripts/project-root.ts';

interface Placed {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

/** Their queries are run by test/e2e/outage; here is what a person would see of them at once. */
describe.for(['fleet', 'service'])('envoy/grafana/%s.json', (name) => {
  const text = readFileSync(join(projectRoot, `envoy/grafana/${name}.json`), 'utf8');
  const { panels, uid } = JSON.parse(text) as { panels: Placed[]; uid: string };

  test('panels lie side by side in 24 columns, each with an id of its own', () => {
    expect(uid).toBe(`rekindle-${name}`);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Map<string, string>();
    for (const { title, gridPos } of panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.get(`${x},${y}`), title).toBeUndefined();
          taken.set(`${x},${y}`, title);
        }
      }
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
    }
  });

  test('each panel says what it shows, and asks the Prometheus that is chosen at the top', () => {
    for (const { type, title, description, datasource } of panels) {
      if (type === 'row') continue;
      expect(description?.length, title).toBeGreaterThan(15);
      expect(datasource?.uid, title).toBe('$datasource');
    }
    expect(text).not.toMatch(/"uid": "(?!\$datasource|rekindle-)/);
  });
});
