/** One query of a panel. */
export interface Query {
  readonly expr: string;
  /** Name of its series, with labels as `{{feature}}`. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** What a reader learns from it. */
  readonly description: string;
  readonly queries: readonly Query[];
  readonly kind: 'timeseries' | 'stat' | 'state-timeline' | 'table';
  readonly unit?: 'reqps' | 'percentunit' | 'ms' | 's' | 'short' | 'bytes' | 'ops';
  /** Columns of 24. */
  readonly width: 4 | 6 | 8 | 12 | 24;
  readonly stacked?: boolean;
  /** Colours of a stat by its value: green below the first bound, then orange, then red. */
  readonly worseFrom?: readonly [number, number];
  /** Colours of a stat whose low values are the bad ones. */
  readonly betterFrom?: number;
}

/** Panels under one heading. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** A choice at the top of a dashboard: the values of a label. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  /** PromQL series whose label is offered. */
  readonly of: string;
  readonly several: boolean;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

const COLUMNS = 24;
const DATASOURCE = { type: 'prometheus', uid: '$datasource' };
const heights = { stat: 4, timeseries: 8, 'state-timeline': 7, table: 8 } as const;

/** The dashboard as Grafana imports it: any Prometheus is chosen at its top. */
export function grafanaText({ uid, title, description, variables, rows }: Dashboard): string {
  const model = {
    uid,
    title,
    description,
    tags: ['rekindle'],
    schemaVersion: 39,
    editable: true,
    refresh: '10s',
    time: { from: 'now-30m', to: 'now' },
    graphTooltip: 1,
    links: [{ type: 'dashboards', title: 'Rekindle', tags: ['rekindle'], includeVars: true, keepTime: true, asDropdown: false }],
    templating: {
      list: [
        { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus', regex: '', refresh: 1, hide: 0 },
        ...variables.map(variableJson),
      ],
    },
    annotations: { list: [] },
    panels: laidOut(rows),
  };
  return `${JSON.stringify(model, null, 2)}\n`;
}

function variableJson({ name, label, of, several }: Variable): object {
  const query = `label_values(${of}, ${name})`;
  const all = several
    ? { includeAll: true, multi: true, allValue: '.+', current: { selected: true, text: ['All'], value: ['$__all'] } }
    : {};
  return {
    ...{ name, label, type: 'query', datasource: DATASOURCE, definition: query },
    query: { query, refId: name },
    ...{ refresh: 2, sort: 1, hide: 0, ...all },
  };
}

/** Rows from top to bottom, panels from left to right. */
function laidOut(rows: readonly Row[]): object[] {
  const placed: object[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    placed.push({ id: placed.length + 1, type: 'row', title, collapsed: false, panels: [], gridPos: { x: 0, y, w: COLUMNS, h: 1 } });
    y++;
    let x = 0;
    let tallest = 0;
    for (const panel of panels) {
      const h = heights[panel.kind];
      if (x + panel.width > COLUMNS) {
        x = 0;
        y += tallest;
        tallest = 0;
      }
      placed.push(panelJson(panel, placed.length + 1, { x, y, w: panel.width, h }));
      x += panel.width;
      tallest = Math.max(tallest, h);
    }
    y += tallest;
  }
  return placed;
}

function panelJson(panel: Panel, id: number, gridPos: object): object {
  const { title, description, queries, kind, unit = 'short' } = panel;
  return {
    ...{ id, type: kind, title, description, datasource: DATASOURCE, gridPos },
    targets: queries.map(({ expr, legend }, index) => ({
      ...{ refId: String.fromCharCode(65 + index), datasource: DATASOURCE, expr, legendFormat: legend },
      ...(kind === 'table' ? { format: 'table', instant: true } : { range: true }),
    })),
    fieldConfig: { defaults: { unit, min: 0, ...look(panel) }, overrides: [] },
    options: options(kind),
    ...(kind === 'table' ? { transformations: [{ id: 'organize', options: { excludeByName: { Time: true, Value: true } } }] } : {}),
  };
}

function look({ kind, stacked = false, worseFrom, betterFrom }: Panel): object {
  if (kind === 'timeseries') {
    const stacking = { mode: stacked ? 'normal' : 'none', group: 'A' };
    return { custom: { lineWidth: 1, fillOpacity: stacked ? 40 : 5, showPoints: 'never', stacking } };
  }
  if (kind === 'state-timeline') return { color: { mode: 'continuous-RdYlGr' }, max: 1, custom: { fillOpacity: 80, lineWidth: 0 } };
  return { thresholds: { mode: 'absolute', steps: thresholds(worseFrom, betterFrom) }, color: { mode: 'thresholds' } };
}

function thresholds(worseFrom: Panel['worseFrom'], betterFrom: number | undefined): object[] {
  if (betterFrom !== undefined) return [step('red', null), step('green', betterFrom)];
  const [orange, red] = worseFrom ?? [];
  return [step('green', null), ...(orange === undefined ? [] : [step('orange', orange), step('red', red ?? orange)])];
}

const step = (color: string, value: number | null): object => ({ color, value });

function options(kind: Panel['kind']): object {
  if (kind === 'timeseries') return { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } };
  if (kind === 'stat') return { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'background', graphMode: 'none' };
  if (kind === 'state-timeline') return { showValue: 'auto', mergeValues: true, legend: { displayMode: 'list', placement: 'bottom' } };
  return { showHeader: true };
}
