import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type {
  CompletionList,
  Diagnostic,
  DocumentSymbol,
  getLanguageService as GetLanguageService,
  Hover,
  LanguageService,
} from 'yaml-language-server';

type TextDocument = Parameters<LanguageService['doValidation']>[0];

/** yaml-language-server in this process, with the schema that our manifest gives to redhat.vscode-yaml. */
export interface YamlServer {
  version: string;
  validate(path: string, text: string): Promise<Diagnostic[]>;
  complete(path: string, text: string, offset: number): Promise<CompletionList>;
  hover(path: string, text: string, offset: number): Promise<Hover | null>;
  symbols(path: string, text: string): DocumentSymbol[];
}

interface Manifest {
  version: string;
  contributes: { yamlValidation: { fileMatch: string[]; url: string }[] };
}

export function startYamlServer(repository = process.cwd()): YamlServer {
  const require = createRequire(join(repository, 'package.json'));
  const { getLanguageService } = require('yaml-language-server') as { getLanguageService: typeof GetLanguageService };
  // Neither the settings' class nor documents are among the package's exports.
  const { SettingsState } = require('yaml-language-server/out/server/src/yamlSettings.js') as {
    SettingsState: new () => NonNullable<Parameters<typeof GetLanguageService>[0]['yamlSettings']>;
  };
  const { TextDocument } = require('vscode-languageserver-textdocument') as {
    TextDocument: { create(uri: string, language: string, version: number, text: string): TextDocument };
  };
  const { version } = require('yaml-language-server/package.json') as { version: string };
  const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as Manifest;
  const yamlSettings = new SettingsState();
  const service = getLanguageService({
    schemaRequestService: (uri) =>
      uri.startsWith('file:')
        ? readFile(fileURLToPath(uri), 'utf8')
        : Promise.reject(new Error(`nothing is fetched, not even ${uri}`)),
    workspaceContext: { resolveRelativePath: (path, base) => new URL(path, base).toString() },
    yamlSettings,
  });
  service.configure({
    validate: true,
    hover: true,
    completion: true,
    format: false,
    isKubernetes: false,
    customTags: [],
    schemas: manifest.contributes.yamlValidation.map(({ fileMatch, url }) => ({
      fileMatch,
      uri: pathToFileURL(join(repository, url)).toString(),
    })),
  });
  let edits = 0;
  const documentOf = (path: string, text: string): TextDocument => {
    const document = TextDocument.create(pathToFileURL(path).toString(), 'yaml', ++edits, text);
    yamlSettings.documents = { get: () => document } as never;
    return document;
  };
  return {
    version,
    validate: (path, text) => service.doValidation(documentOf(path, text), false),
    complete: (path, text, offset) => {
      const document = documentOf(path, text);
      return service.doComplete(document, document.positionAt(offset), false);
    },
    hover: (path, text, offset) => {
      const document = documentOf(path, text);
      return service.doHover(document, document.positionAt(offset));
    },
    symbols: (path, text) => service.findDocumentSymbols2(documentOf(path, text), { resultLimit: 5000 }),
  };
}
