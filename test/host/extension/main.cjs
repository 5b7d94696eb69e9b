// Runs the bundled suites with mocha inside the extension host and writes what came out to a file. The browser's VS Code
// activates this as an extension; the desktop's calls run().
'use strict';
const { renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

exports.activate = () => {
  // The desktop calls run() itself.
  if (process.env.SIMDINO_SUITES_ON_START === '1') void exports.run();
};

exports.run = async () => {
  const { mochaPath, resultPath, grep } = JSON.parse(process.env.SIMDINO_SUITES);
  let report;
  try {
    report = await runMocha(require(mochaPath), grep);
  } catch (error) {
    report = { tests: [], error: String(error?.stack ?? error) };
  }
  // Renamed into place: who waits for the file must never read half of it.
  writeFileSync(`${resultPath}.partial`, JSON.stringify(report, null, 2));
  renameSync(`${resultPath}.partial`, resultPath);
};

function runMocha(Mocha, grep) {
  const mocha = new Mocha({ ui: 'tdd', timeout: 60_000, grep, reporter: class {} });
  mocha.addFile(join(__dirname, 'suites.cjs'));
  const tests = [];
  return new Promise((resolve) => {
    const runner = mocha.run(() => resolve({ tests }));
    const record = (state) => (test, error) =>
      tests.push({ name: test.fullTitle(), state, error: error && String(error.stack ?? error) });
    runner.on('pass', record('passed'));
    runner.on('fail', record('failed'));
    runner.on('pending', record('skipped'));
  });
}
