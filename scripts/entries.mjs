// Everything that `npm run build` bundles, by the name of its built file under dist/.

/** Processes of a run and the command line: ES modules for Node 20. Native packages stay outside the bundle. */
export const NODE_ENTRIES = {
  simdino: 'runtime/cli.ts',
  executor: 'runtime/engines/executor/executorMain.ts',
  engineProbe: 'runtime/engines/devices/probeMain.ts',
  dataWorker: 'runtime/data/dataWorker.ts',
};

/** The extension host loads CommonJS only. */
export const EXTENSION_ENTRIES = { extension: 'extension/extension.ts' };

/** One page per webview panel; a page's stylesheet comes from its own CSS imports, and what several share is in chunks. */
export const WEBVIEW_ENTRIES = {
  curves: 'webview/curves/main.tsx',
  grid: 'webview/grid/main.tsx',
  comparison: 'webview/comparison/main.tsx',
  look: 'webview/look/main.tsx',
  table: 'webview/table/main.tsx',
};

/** A report is one file that needs nothing else: its page shares no chunks. */
export const REPORT_ENTRIES = { report: 'webview/report/main.tsx' };

/** Packages with native parts, and optional peers that a user may install: resolved at run time, never bundled. */
export const NATIVE_PACKAGES = [
  'koffi',
  'onnxruntime-node',
  'sharp',
  'webgpu',
  '@tensorflow/tfjs-node',
  '@tensorflow/tfjs-node-gpu',
];
