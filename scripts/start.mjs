// `npm start`: sets up what is missing, then runs the demo with the arguments given.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
await import(pathToFileURL(join(root, 'dist/envoy/demo/main.js')).href);
