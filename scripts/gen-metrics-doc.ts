// Writes docs/metrics.md from the lists of metrics, the rules and the alerts. `--check` only compares.
import { join } from 'node:path';
import { keepGenerated } from './generated-file.ts';
import { metricsPage } from './metrics-page.ts';
import { projectRoot } from './project-root.ts';

keepGenerated(join(projectRoot, 'docs/metrics.md'), metricsPage());
