// Writes docs/policy.md, docs/plugin-configuration.md and docs/settings.md from the schemas and the settings. `--check` only compares.
import { join } from 'node:path';
import { LIMITS } from '../control-plane/contract/limits.ts';
import { PluginConfiguration } from '../control-plane/contract/plugin-configuration.ts';
import { Policy } from '../control-plane/contract/policy.ts';
import { settingRows } from '../control-plane/settings.ts';
import { keepGenerated } from './generated-file.ts';
import { projectRoot } from './project-root.ts';
import { type FieldSchema, referenceSections } from './reference-table.ts';

const { policy: _, ...entryProperties } = (PluginConfiguration.properties.services as unknown as { items: FieldSchema }).items.properties!;
const services = {
  ...PluginConfiguration.properties.services,
  items: {
    ...(PluginConfiguration.properties.services as unknown as { items: FieldSchema }).items,
    properties: {
      ...entryProperties,
      policy: {
        type: 'policy',
        description: 'Inline [policy](policy.md): holds until the control plane sends another one, and alone without one',
      },
    },
  },
};
const plugin = { ...PluginConfiguration, properties: { ...PluginConfiguration.properties, services } } as unknown as FieldSchema;

const policyPage = `# Policy reference

Every field of a policy, for whoever writes one. One policy is the whole of what Rekindle knows of a service. The tables are written by \`npm run gen\` from the schema in
\`control-plane/contract/\`, which also checks what you send. Whole policies to start from: [recipes](recipes.md).

## The smallest one

\`\`\`yaml
service: shop
features:
  - name: catalog
    routes: [{ path: { prefix: /catalog } }]
\`\`\`

It trips when half of at least 20 requests in 10 s fail, or ten in a row on one worker, answers 503 with \`retry-after\` meanwhile, and comes back by probes and steps of 1, 5, 10, 25, 50, 100 %. To answer something better than 503, give it a [\`fallback\`](#featuresfallback).

## How it is read

- YAML or JSON, the same fields. Names are \`[a-z0-9][a-z0-9-]*\`, at most ${LIMITS.nameLength} characters. Every duration ends in \`Ms\`, every share in \`Percent\`; all numbers are integers.
- A field that is left out has the default of its row; so has a whole section. The control plane shows the policy with all of them filled in.
- Unknown fields are refused, with the field that was probably meant. A policy with anything wrong is refused whole: every problem is listed with its path, the old one stays in force.
- It takes effect at all proxies within a second, without a restart and without dropping a request ([what changes when](config-life.md)). An edit in mid-recovery moves no traffic ([R15](recovery.md#the-rules)).
- For completion and checks in an editor: the first line \`# yaml-language-server: $schema=…/docs/policy.schema.json\`.

Beyond single fields:

- names of features are unique; \`dependsOn\` names features of this policy, not itself, without a cycle;
- a route that an earlier one leaves no request for is refused; templates are \`/items/{id}\`: whole segments, names once;
- \`governance.reportMs\` and \`quietReportMs\` are at most a third of \`staleAfterMs\`; caps are not below what they cap; \`unhealthyPercent\` is above \`degradedPercent\`; \`rampPercent\` rises to 100;
- \`grpc\` and \`grpc-web\` features have no \`stale\` or \`static\` rung; statuses 204, 205 and 304 have no body;
- a \`cluster\` rung or \`probe.request\` reaches only what the [plugin configuration](plugin-configuration.md) allows.

## Fields

${referenceSections(Policy as unknown as FieldSchema).join('\n\n')}
`;

const pluginPage = `# Plugin configuration reference

Every field of the filter's own configuration, for whoever edits the Envoy configuration. It is JSON in a \`google.protobuf.StringValue\`; a \`Struct\` is refused. What is wrong is refused whole, with a line in Envoy's log for each path. The tables are written by \`npm run gen\` from
\`control-plane/contract/plugin-configuration.ts\`. A complete Envoy configuration is \`envoy/envoy.yaml\`; a first one is made in [getting started](getting-started.md).

\`\`\`json
{
  "mode": "shadow",
  "controlPlane": { "cluster": "rekindle-control-plane" },
  "services": [{ "service": "shop" }]
}
\`\`\`

A service without an inline policy is guarded as a whole, with the defaults of the [policy](policy.md), until the control plane sends its policy. This token and this policy stand in Envoy's \`config_dump\`: see [security](security.md).

## Fields

${referenceSections(plugin).join('\n\n')}
`;

const settingsPage = `# Settings of the control plane

The environment variables that \`node dist/control-plane/main.js\` reads, for whoever deploys it. \`--help\` prints the same list. A value that does not fit, and a name that is probably misspelt, ends the start with a line that says what is right.
Written by \`npm run gen\` from \`control-plane/settings.ts\`.

| variable | default | meaning |
|---|---|---|
${settingRows()
  .map(({ name, fallback, description }) => `| \`${name}\` | ${fallback === '' ? 'none' : `\`${fallback}\``} | ${description} |`)
  .join('\n')}
`;

keepGenerated(join(projectRoot, 'docs/policy.md'), policyPage);
keepGenerated(join(projectRoot, 'docs/plugin-configuration.md'), pluginPage);
keepGenerated(join(projectRoot, 'docs/settings.md'), settingsPage);
