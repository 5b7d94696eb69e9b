import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** What one folder may not import. TypeScript's project references enforce the arrows between folders as well. */
function mayNotImport(patterns) {
  return { 'no-restricted-imports': ['error', { patterns }] };
}

const vscodeApi = { regex: '^vscode$', message: 'Only extension/ imports vscode.' };
const native = {
  regex: '^(@tensorflow/|onnxruntime-|sharp$)',
  message: 'Only runtime/ imports tfjs, onnxruntime-node and sharp.',
};
const browser = { regex: '^(preact|@preact/|chart\\.js|chartjs-|@vscode-elements/)', message: 'Only webview/ draws.' };
const node = { regex: '^node:', message: 'No Node modules here: this code also runs in the browser.' };
const zod = { regex: '^zod', message: 'The webview takes only zod-free parts of configs/.' };
const folders = (...names) => ({
  regex: `^(\\.\\./)+(${names.join('|')})/`,
  message: 'This arrow between folders does not exist (ARCHITECTURE.md).',
});

export default tseslint.config(
  {
    ignores: [
      'dist/',
      '.types/',
      '.cache/',
      'runs/',
      'node_modules/',
      '.vscode-test/',
      'docs/',
      'test/golden/data/',
      'runtime/data/kernels/assembly/',
      'runtime/data/kernels/imageKernels.wasm.ts',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        require: 'readonly',
        exports: 'writable',
        __dirname: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        performance: 'readonly',
        fetch: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        Buffer: 'readonly',
        AbortSignal: 'readonly',
      },
    },
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Numbers are what our messages are made of.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowArray: true },
      ],
      // Interfaces written with method syntax hold plain functions here (operations, kernels, callbacks).
      '@typescript-eslint/unbound-method': 'off',
      // What implements an asynchronous interface rejects instead of throwing, whether it waits for anything or not.
      '@typescript-eslint/require-await': 'off',
      // `void signal.value` subscribes.
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // `noUncheckedIndexedAccess` makes every array read optional; in numeric loops the assertion states the bound just checked.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // `for (...; await sleep(200))` is how we poll.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Values that come from outside are checked where the type says they need no check.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-restricted-syntax': ['error', { selector: 'TSEnumDeclaration', message: 'Modes are string unions.' }],
    },
  },
  {
    files: ['protocol/**'],
    rules: mayNotImport([
      vscodeApi,
      native,
      browser,
      node,
      zod,
      folders('configs', 'experiments', 'extension', 'webview', 'runtime', 'test'),
    ]),
  },
  {
    files: ['configs/**'],
    rules: mayNotImport([
      vscodeApi,
      native,
      browser,
      node,
      folders('experiments', 'extension', 'webview', 'runtime', 'test'),
    ]),
  },
  {
    files: ['experiments/**'],
    ignores: ['experiments/store/**'],
    rules: mayNotImport([vscodeApi, native, browser, node, folders('extension', 'webview', 'runtime', 'test')]),
  },
  {
    files: ['experiments/store/**'],
    rules: mayNotImport([vscodeApi, native, browser, folders('extension', 'webview', 'runtime', 'test')]),
  },
  {
    files: ['extension/**'],
    rules: mayNotImport([native, browser, folders('webview', 'runtime', 'test')]),
  },
  {
    files: ['runtime/**'],
    rules: mayNotImport([vscodeApi, browser, folders('extension', 'webview', 'test')]),
  },
  {
    files: ['webview/**'],
    rules: mayNotImport([
      vscodeApi,
      native,
      node,
      zod,
      folders('extension', 'runtime', 'test'),
      { regex: 'experiments/store/', message: 'experiments/store/ reads files: not in the browser.' },
      {
        regex:
          'configs/(schema|resolve|sweepSchema|fieldCatalogue|validateConfig|readConfig|readSweep|generatedFiles|language/.*)(\\.ts)?$',
        message: 'The webview takes only zod-free parts of configs/.',
      },
    ]),
  },
  {
    files: ['test/**', 'bench/**'],
    rules: {
      '@typescript-eslint/no-empty-function': 'off',
      // `json<T>(path)`: a test says what the file that it wrote itself holds.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    },
  },
);
