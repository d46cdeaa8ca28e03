// Writes the generated parts of envoy/ (the allow-list of the module, the tag specifiers of the metrics), what manifests say of the module, and
// docs/problems.md. `--check` only compares.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { capabilitiesOf } from './capabilities.ts';
import { grafanaText } from './dashboards/dashboard.ts';
import { FLEET } from './dashboards/fleet.ts';
import { SERVICE } from './dashboards/service.ts';
import { filterFacts } from './filter-facts.ts';
import { keepGenerated } from './generated-file.ts';
import { problemsPage } from './problems.ts';
import { projectRoot } from './project-root.ts';
import { statsTags } from './stats-tags.ts';
import { replaceBlock } from './yaml-block.ts';

const configurationPath = join(projectRoot, 'envoy/envoy.yaml');
const tagsPath = join(projectRoot, 'envoy/stats_tags.yaml');
const tagsHead = `# Labels of Rekindle's metrics for a plain Envoy: goes into the bootstrap of an Envoy that has another configuration than envoy.yaml.
# Generated from control-plane/contract/metrics.ts by \`npm run gen\`.
stats_config:
  stats_tags: []
`;

const module = await readFile(join(projectRoot, 'build/rekindle.wasm'));
const { version } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
const capabilities = capabilitiesOf(module);
const allowed = capabilities.map((name) => `${name}: {}`);
const tags = statsTags().map(({ tag_name, regex }) => `- { tag_name: ${tag_name}, regex: '${regex}' }`);

const configuration = await readFile(configurationPath, 'utf8');
const wanted = new Map([
  [configurationPath, replaceBlock(replaceBlock(configuration, 'allowed_capabilities', allowed), 'stats_tags', tags)],
  [tagsPath, replaceBlock(tagsHead, 'stats_tags', tags)],
  [join(projectRoot, 'docs/problems.md'), problemsPage()],
  [join(projectRoot, 'envoy/grafana/fleet.json'), grafanaText(FLEET)],
  [join(projectRoot, 'envoy/grafana/service.json'), grafanaText(SERVICE)],
  [join(projectRoot, 'control-plane/manifest/filter.gen.ts'), filterFacts(module, version)],
]);

for (const [path, text] of wanted) keepGenerated(path, text);
