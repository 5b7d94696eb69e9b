/** What the editor does with SimDINO's YAML, asked through VS Code's own commands. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { eventually } from '../host/eventually.ts';
import { closeWithoutSaving } from './studio.ts';

const folder = mkdtempSync(join(tmpdir(), 'simdino-yaml-'));
const waitMs = 20_000;

const faulty = `# my experiment
extends: tiny
loss:
  epss: 0.3 # tuned
  gamma: auto
teacher:
  momentum: 0.99
train: { batchSize: 16, epochs: 3 }
crops:
  local: { sizePx: 10 }
`;

suite('YAML', () => {
  let document: vscode.TextDocument;
  let opened = 0;

  setup(async () => {
    // A file of its own each time: one that is still open would be changed under its editor.
    document = await open(`my-${++opened}.yaml`, faulty);
  });
  teardown(async () => {
    await closeWithoutSaving();
  });

  test('problems have exact ranges and say what to do', async () => {
    const problems = await problemsOf(document, 2);
    assert.deepEqual(
      problems.map(({ range, message }) => [document.getText(range), message.split('. ')[0]]),
      [
        ['epss', '`loss.epss` is not a key of a configuration'],
        ['10', 'crops.local.sizePx 10 is not a multiple of model.patchSizePx 4'],
      ],
    );
  });

  test('problems follow the text', async () => {
    await problemsOf(document, 2);
    await replace(document, 'epss', 'eps');
    await problemsOf(document, 1);
  });

  test('a quick fix mends a mistyped key and keeps the comment', async () => {
    const [problem] = await problemsOf(document, 2);
    assert.ok(problem);
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      document.uri,
      problem.range,
    );
    const fix = actions.find(({ title }) => title === 'Change to `eps`');
    assert.ok(fix?.edit, actions.map(({ title }) => title).join(', '));
    await vscode.workspace.applyEdit(fix.edit);
    assert.match(document.getText(), /^ {2}eps: 0.3 # tuned$/m);
  });

  test('completion offers keys with their meaning, and values', async () => {
    await replace(document, '  epss: 0.3 # tuned\n', '  epss: 0.3 # tuned\n  pa\n');
    const keys = await completionsAfter(document, '\n  pa');
    const pairs = keys.find(({ label }) => label === 'pairs');
    assert.match(String((pairs?.documentation as vscode.MarkdownString | undefined)?.value), /view pairs/);
    await replace(document, '  pa\n', '  pairs: \n');
    const values = await completionsAfter(document, '\n  pairs: ');
    assert.deepEqual(values.map(({ label }) => label).sort(), ['all', 'crossView']);
  });

  test('hover tells meaning, equation, and what follows here', async () => {
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      document.uri,
      positionOf(document, 'gamma'),
    );
    const text = hovers.flatMap(({ contents }) => contents.map((part) => (part as vscode.MarkdownString).value)).join();
    assert.match(text, /Theorem C\.1/);
    assert.match(text, /\*\*Here:\*\* 0\.125/);
  });

  test('inlay hints show gamma, half-life and steps', async () => {
    const hints = await vscode.commands.executeCommand<vscode.InlayHint[]>(
      'vscode.executeInlayHintProvider',
      document.uri,
      new vscode.Range(0, 0, document.lineCount, 0),
    );
    const labels = hints.map(({ label }) => textOf(label));
    for (const expected of ['= 0.125', 'half-life 69 steps', '4 steps per epoch', '= 12 steps, 192 images']) {
      assert.ok(labels.includes(expected), `${expected} in ${labels.join(' | ')}`);
    }
  });

  test('inlay hints for everything that follows from a configuration', async () => {
    const text = `extends: simdino_vits16
crops: { global: { sizePx: 224 } }
model: { architecture: vit_small }
projector: { outputDim: 256 }
loss: { gamma: balanced, eps: 0.2236, codingRate: { groups: 8 } }
optim: { lr: 0.0005 }
`;
    const recipe = await open('recipe.yaml', text);
    const hints = await vscode.commands.executeCommand<vscode.InlayHint[]>(
      'vscode.executeInlayHintProvider',
      recipe.uri,
      new vscode.Range(0, 0, recipe.lineCount, 0),
    );
    const on = (line: number) =>
      hints.filter(({ position }) => position.line === line).map(({ label }) => textOf(label));
    // Where an earlier run on this machine tells what a step costs, that takes the room.
    assert.match(on(0).join(), /^half-life 173 steps$|^~ .+ per step, \d+ GiB$/);
    assert.deepEqual(on(1), ['764 tokens per image', '197 tokens']);
    assert.deepEqual(on(2), ['21.7 M parameters']);
    assert.deepEqual(on(3), ['5.51 M parameters']);
    assert.match(on(4)[0] ?? '', /^R 3\.23 \(collapse\) to 76\.7, \u03b3R \u2264 \d/);
    assert.deepEqual(on(4).slice(2), ['\u03b5\u00b2 = 0.05, in force \u03b5 = 0.6324', '64 images each']);
    assert.match(on(4)[1] ?? '', /^= 0\.\d+$/);
    assert.deepEqual(on(5), ['peak 0.001']);
  });

  test('a relation leads to the other key', async () => {
    const related = await open(
      'related.yaml',
      'extends: tiny\ntrain: { batchSize: 15 }\nloss: { codingRate: { groups: 4 } }\n',
    );
    const problems = await problemsOf(related, 1);
    const [other] = problems[0]?.relatedInformation ?? [];
    assert.equal(related.getText(problems[0]?.range), '4');
    assert.equal(other && related.getText(other.location.range), '15');
  });

  test('extends is completed with presets, the paper\u2019s rows, and files beside', async () => {
    await open('beside.simdino.yaml', 'extends: tiny\n');
    const own = await open('naming.yaml', 'extends: paper/\ntrain: {}\n');
    const labels = (await completionsAfter(own, 'extends: paper/')).map(({ label }) =>
      typeof label === 'string' ? label : label.label,
    );
    for (const expected of ['quickstart', 'paper/table6/momentum_09', 'beside.simdino.yaml'])
      assert.ok(labels.includes(expected), `${expected} in ${labels.join()}`);
  });

  test('a lens starts a run, a link opens the preset', async () => {
    const lenses = await eventually('code lenses', waitMs, async () => {
      const found = await vscode.commands.executeCommand<vscode.CodeLens[]>(
        'vscode.executeCodeLensProvider',
        document.uri,
        10,
      );
      return found.length > 0 ? found : undefined;
    });
    const commands = lenses.map(({ command }) => command?.command);
    assert.ok(commands.includes('simdino.startRun'), commands.join(', '));
    assert.equal(lenses[0]?.range.start.line, 1);
    const links = await vscode.commands.executeCommand<vscode.DocumentLink[]>(
      'vscode.executeLinkProvider',
      document.uri,
    );
    assert.match(String(links[0]?.target?.path), /configs\/tiny\.yaml$/);
  });

  test('a lens for everything that can be done with the file, in the order of the work', async () => {
    const lenses = await eventually('code lenses', waitMs, async () => {
      const found = await vscode.commands.executeCommand<vscode.CodeLens[]>(
        'vscode.executeCodeLensProvider',
        document.uri,
        20,
      );
      return found.length > 0 ? found : undefined;
    });
    const titles = lenses.flatMap(({ command }) => (command?.arguments ? [command.title] : []));
    const wanted = ['Start SimDINO run', 'Queue', 'Compare with last', 'Preview crops', 'Compare with tiny'];
    const available = await vscode.commands.getCommands(true);
    const expected = wanted.filter((title) => title !== 'Queue' || available.includes('simdino.queueRun'));
    assert.deepEqual(
      titles.filter((title) => wanted.includes(title)),
      expected,
    );
  });

  test('a quick fix moves a key to its section, comment included', async () => {
    await replace(document, '  momentum: 0.99\n', '  momentum: 0.99\n  warmupEpochs: 1 # short\n');
    const problems = await problemsOf(document, 3);
    const misplaced = problems.find(({ range }) => document.getText(range) === 'warmupEpochs');
    assert.ok(misplaced);
    assert.match(misplaced.message, /Did you mean `optim\.warmupEpochs`/);
    await fix(document, misplaced, 'Move to `optim.warmupEpochs`');
    assert.match(document.getText(), /^optim:\n {2}warmupEpochs: 1 # short$/m);
  });

  test('quick fixes: a value to the nearest that is valid, an unknown key away', async () => {
    await replace(document, 'epochs: 3', 'epochs: 3, batchsize: 4');
    await replace(document, 'gamma: auto', 'gamma: balancd');
    const problems = await problemsOf(document, 4);
    const at = (text: string) => problems.find(({ range }) => document.getText(range) === text);
    await fix(document, at('balancd')!, 'Set `loss.gamma` to balanced');
    const unknown = vscode.languages.getDiagnostics(document.uri).find(({ message }) => message.includes('batchsize'));
    assert.ok(unknown);
    await fix(document, unknown, 'Remove `train.batchsize`');
    assert.match(document.getText(), /gamma: balanced\n/);
    assert.match(document.getText(), /train: \{ batchSize: 16, epochs: 3 \}/);
  });

  test('the outline has sections, keys and values', async () => {
    const symbols = await eventually('the outline', waitMs, async () => {
      const found = await vscode.commands.executeCommand<vscode.DocumentSymbol[] | undefined>(
        'vscode.executeDocumentSymbolProvider',
        document.uri,
      );
      return found && found.length > 0 ? found : undefined;
    });
    assert.deepEqual(
      symbols.map(({ name }) => name),
      ['extends', 'loss', 'teacher', 'train', 'crops'],
    );
    const train = symbols.find(({ name }) => name === 'train');
    assert.deepEqual(
      train?.children.map(({ name, detail }) => `${name} ${detail}`),
      ['batchSize 16', 'epochs 3'],
    );
  });

  test('Go to Definition leads from extends to the preset', async () => {
    const [definition] = await vscode.commands.executeCommand<vscode.Location[]>(
      'vscode.executeDefinitionProvider',
      document.uri,
      positionOf(document, 'tiny'),
    );
    assert.match(String(definition?.uri.path), /configs\/tiny\.yaml$/);
  });

  test('a diff against what it extends shows the changed keys alone', async () => {
    const own = await open('own.yaml', 'extends: tiny\nloss: { eps: 0.4 } # wider\ntrain: { epochs: 2 }\n');
    await vscode.commands.executeCommand('simdino.compareWithExtended', own.uri);
    const tab = await eventually('the diff', waitMs, async () => {
      const { input, label } = vscode.window.tabGroups.activeTabGroup.activeTab ?? {};
      return input instanceof vscode.TabInputTextDiff ? { input, label } : undefined;
    });
    assert.match(String(tab.label), /tiny.*own/);
    const [extended, resolved] = await Promise.all(
      [tab.input.original, tab.input.modified].map((uri) => vscode.workspace.openTextDocument(uri)),
    );
    const lines = extended!.getText().split('\n').slice(1);
    const changed = resolved!
      .getText()
      .split('\n')
      .slice(1)
      .filter((line, i) => line !== lines[i]);
    assert.deepEqual(changed.sort(), ['  epochs: 2', '  eps: 0.4']);
  });

  test('remarks that cite the paper name their source, and a setting turns them off', async () => {
    const cited = await open('cited.yaml', 'extends: dino_vits16\nteacher: { momentum: 0.9 }\n');
    const [remark] = await problemsOf(cited, 1);
    assert.match(String(remark?.message), /Table 6 reports that DINO diverges.*\(Table 6\)$/);
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      cited.uri,
      remark!.range,
    );
    const setting = actions.find(({ title }) => title.startsWith('Open the setting of remarks'));
    assert.deepEqual(setting?.command?.arguments, ['simdino.lint.paper']);
    const settings = vscode.workspace.getConfiguration('simdino');
    await settings.update('lint.paper', false, vscode.ConfigurationTarget.Global);
    try {
      await problemsOf(cited, 0);
    } finally {
      await settings.update('lint.paper', undefined, vscode.ConfigurationTarget.Global);
    }
    await problemsOf(cited, 1);
  });

  test('a file is ours by its name or by its modeline', async () => {
    const named = await open('any.simdino.yaml', 'seed: -1\n');
    assert.ok((await problemsOf(named, 2)).some(({ message }) => message.startsWith('`seed` must be')));
    const modeline = '# yaml-language-server: $schema=./configs/simdino.schema.json\n';
    const marked = await open('marked.yaml', `${modeline}seed: -1\n`);
    assert.ok((await problemsOf(marked, 2)).some(({ message }) => message.startsWith('`data` is missing')));
  });

  test('the resolved configuration is shown beside, every value in force', async () => {
    await replace(document, '  epss: 0.3 # tuned\n', '  eps: 0.3\n');
    await replace(document, 'sizePx: 10', 'sizePx: 8');
    await vscode.commands.executeCommand('simdino.showResolvedConfig', document.uri);
    const resolved = await eventually('the resolved text', waitMs, async () =>
      vscode.workspace.textDocuments.find(({ uri }) => uri.scheme === 'simdino-resolved'),
    );
    assert.match(resolved.getText(), /^ {2}eps: 0\.3$/m);
    assert.match(resolved.getText(), /^ {2}patchSizePx: 4$/m);
  });

  test('a YAML file of somebody else is left alone', async () => {
    const other = await open('docker-compose.yaml', 'services:\n  web: { image: nginx }\nloss: 3\n');
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', other.uri);
    assert.deepEqual(vscode.languages.getDiagnostics(other.uri), []);
    assert.deepEqual(lenses, []);
  });

  test('a sweep file is checked as the runs that it becomes', async () => {
    const sweep = await open('grid.yaml', 'base: tiny\naxes:\n  loss.eps: [0.3, -1]\n  train.batchSize: [16, 32]\n');
    const [problem] = await problemsOf(sweep, 1);
    assert.equal(problem && sweep.getText(problem.range), '-1');
  });
});

function textOf(label: vscode.InlayHint['label']): string {
  return typeof label === 'string' ? label : label.map(({ value }) => value).join('');
}

async function open(name: string, text: string): Promise<vscode.TextDocument> {
  const path = join(folder, name);
  writeFileSync(path, text);
  const document = await vscode.workspace.openTextDocument(path);
  await vscode.window.showTextDocument(document);
  // An editor that an earlier test has changed is brought back to the file's text.
  if (document.getText() !== text) {
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
    await vscode.workspace.applyEdit(edit);
  }
  return document;
}

function problemsOf(document: vscode.TextDocument, count: number): Promise<vscode.Diagnostic[]> {
  return eventually(`${count} problems`, waitMs, async () => {
    const found = vscode.languages.getDiagnostics(document.uri).filter(({ source }) => source === 'SimDINO');
    return found.length === count ? found.sort((a, b) => a.range.start.compareTo(b.range.start)) : undefined;
  });
}

/** Takes the quick fix of that title at a problem. */
async function fix(document: vscode.TextDocument, problem: vscode.Diagnostic, title: string): Promise<void> {
  const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
    'vscode.executeCodeActionProvider',
    document.uri,
    problem.range,
  );
  const action = actions.find((candidate) => candidate.title === title);
  assert.ok(action?.edit, `${title} in ${actions.map((candidate) => candidate.title).join(', ')}`);
  assert.ok(await vscode.workspace.applyEdit(action.edit));
}

function positionOf(document: vscode.TextDocument, word: string): vscode.Position {
  const at = document.getText().indexOf(word);
  assert.notEqual(at, -1, `${word} in the document`);
  return document.positionAt(at + 1);
}

async function replace(document: vscode.TextDocument, from: string, to: string): Promise<void> {
  const at = document.getText().indexOf(from);
  assert.notEqual(at, -1, `${from} in the document`);
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, new vscode.Range(document.positionAt(at), document.positionAt(at + from.length)), to);
  assert.ok(await vscode.workspace.applyEdit(edit));
}

async function completionsAfter(document: vscode.TextDocument, before: string): Promise<vscode.CompletionItem[]> {
  const at = document.getText().indexOf(before) + before.length;
  const list = await vscode.commands.executeCommand<vscode.CompletionList>(
    'vscode.executeCompletionItemProvider',
    document.uri,
    document.positionAt(at),
  );
  return list.items.filter(({ kind }) => kind !== vscode.CompletionItemKind.Text);
}
