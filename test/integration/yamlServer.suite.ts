/**
 * Our language features beside redhat.vscode-yaml's server, which appears while the editor runs. Its file's name puts this suite
 * last: an extension that has run can't be taken away again without a restart.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { closeWithoutSaving, eventually } from './studio.ts';

const waitMs = 20_000;
const folder = mkdtempSync(join(tmpdir(), 'simdino-beside-'));
const faulty = 'extends: tiny\nloss:\n  epss: 0.3\nteacher:\n  momentum: 0.99\ncrops:\n  local: { sizePx: 10 }\n';

suite('YAML beside redhat.vscode-yaml', function () {
  this.timeout(120_000);

  suiteSetup(async () => {
    const { yamlVsix } = JSON.parse(process.env['SIMDINO_SUITES'] ?? '{}') as { yamlVsix?: string };
    assert.ok(yamlVsix, 'the harness packs the YAML extension');
    const alone = await open('alone.simdino.yaml', faulty);
    await remarksOf(alone, { epss: ['SimDINO'], '10': ['SimDINO'] });

    await vscode.commands.executeCommand('workbench.extensions.installExtension', vscode.Uri.file(yamlVsix));
    await eventually('the YAML extension', 60_000, () => vscode.extensions.getExtension('redhat.vscode-yaml'));
    // What was open when it came is divided between the two as well.
    await remarksOf(alone, { epss: ['YAML'], '10': ['SimDINO'] });
  });
  teardown(closeWithoutSaving);

  test('every mistake is marked once: by the server what the schema knows, by us what it does not', async () => {
    const document = await open(
      'twice.simdino.yaml',
      `${faulty}train: { epochs: 3 }\noptim: { warmupEpochs: 900, beta1: 1.5 }\n`,
    );
    await remarksOf(document, { epss: ['YAML'], '1.5': ['YAML'], '10': ['SimDINO'], '900': ['SimDINO'] });
  });

  test('quick fixes are offered at the server\u2019s remarks too', async () => {
    const document = await open('fixes.simdino.yaml', faulty);
    const [remark] = await remarksOf(document, { epss: ['YAML'], '10': ['SimDINO'] });
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      document.uri,
      remark!.range,
    );
    assert.ok(actions.some(({ title }) => title === 'Change to `eps`'));
  });

  test('every key is offered once', async () => {
    const text = 'extends: tiny\nloss:\n  p\n';
    const document = await open('keys.simdino.yaml', text);
    const labels = await completionsIn(document, text.length - 1);
    assert.equal(labels.filter((label) => label === 'pairs').length, 1, labels.join());
  });

  test('a hover has the schema\u2019s words once, and what follows from the value', async () => {
    const document = await open('hover.simdino.yaml', faulty);
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      document.uri,
      document.positionAt(faulty.indexOf('momentum') + 2),
    );
    const words = hovers
      .flatMap(({ contents }) => contents.map((part) => (part as vscode.MarkdownString).value))
      .join();
    assert.equal(words.split('moving average at the first step').length, 2, words);
    assert.equal(words.split('half-life').length, 2, words);
  });

  test('the outline has every section once', async () => {
    const document = await open('outline.simdino.yaml', faulty);
    const symbols = await vscode.commands.executeCommand<vscode.DocumentSymbol[]>(
      'vscode.executeDocumentSymbolProvider',
      document.uri,
    );
    assert.deepEqual(
      symbols.map(({ name }) => name),
      ['extends', 'loss', 'teacher', 'crops'],
    );
  });

  test('a file that it has no schema for is ours, but for its syntax', async () => {
    const document = await open('plain.yaml', faulty);
    await remarksOf(document, { epss: ['SimDINO'], '10': ['SimDINO'] });
    const labels = await completionsIn(document, faulty.indexOf('epss') + 2);
    assert.equal(labels.filter((label) => label === 'eps').length, 1, labels.join());
    const broken = await open('broken.yaml', 'extends: tiny\nloss: { eps: 0.3\n');
    const found = await eventually('the server\u2019s remark', waitMs, () => {
      const remarks = vscode.languages.getDiagnostics(broken.uri);
      return remarks.length > 0 ? remarks : undefined;
    });
    assert.deepEqual([...new Set(found.map(({ source }) => source))], ['YAML']);
  });

  test('a schema that its settings give to some files leaves the others to us', async () => {
    await withSetting('schemas', { './configs/simdino.schema.json': 'given-*.yaml' }, async () => {
      const other = await open('other.yaml', faulty);
      await remarksOf(other, { epss: ['SimDINO'], '10': ['SimDINO'] });
    });
  });

  test('what is turned off there is done here', async () => {
    await withSetting('validate', false, async () => {
      const document = await open('off.simdino.yaml', faulty);
      await remarksOf(document, { epss: ['SimDINO'], '10': ['SimDINO'] });
    });
  });
});

async function withSetting(name: string, value: unknown, work: () => Promise<void>): Promise<void> {
  const settings = vscode.workspace.getConfiguration('yaml');
  await settings.update(name, value, vscode.ConfigurationTarget.Global);
  try {
    await work();
  } finally {
    await settings.update(name, undefined, vscode.ConfigurationTarget.Global);
  }
}

async function open(name: string, text: string): Promise<vscode.TextDocument> {
  const path = join(folder, name);
  writeFileSync(path, text);
  const document = await vscode.workspace.openTextDocument(path);
  await vscode.window.showTextDocument(document);
  return document;
}

/** Waits until the marked texts have exactly these speakers, and nothing else is marked. */
async function remarksOf(
  document: vscode.TextDocument,
  speakers: Record<string, string[]>,
): Promise<vscode.Diagnostic[]> {
  const wanted = JSON.stringify(Object.entries(speakers).sort());
  let seen = '';
  const found = await eventually(`remarks ${wanted}`, waitMs, () => {
    const diagnostics = vscode.languages.getDiagnostics(document.uri);
    const by: Record<string, string[]> = {};
    for (const { range, source } of diagnostics) (by[document.getText(range)] ??= []).push(source ?? '');
    seen = JSON.stringify(Object.entries(by).sort());
    return seen === wanted ? diagnostics : undefined;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}; there are ${seen}`);
  });
  return found.sort((a, b) => a.range.start.compareTo(b.range.start));
}

async function completionsIn(document: vscode.TextDocument, offset: number): Promise<string[]> {
  const list = await vscode.commands.executeCommand<vscode.CompletionList>(
    'vscode.executeCompletionItemProvider',
    document.uri,
    document.positionAt(offset),
  );
  return list.items
    .filter(({ kind }) => kind !== vscode.CompletionItemKind.Text)
    .map(({ label }) => (typeof label === 'string' ? label : label.label));
}
