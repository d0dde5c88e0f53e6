// Everything that must hold before a change goes in; CI runs this and nothing else.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { run } from './run.mjs';

const results = [
  { file: 'out/test-results-current-node.json', label: 'current: ' },
  { file: 'out/test-results.json', label: '' },
];

// What an earlier run has left must not be told as this one's.
for (const { file } of results) rmSync(file, { force: true });
try {
  await run('npm', ['test']);
  await run('npm', ['run', 'lint']);
  await run('npm', ['run', 'typecheck']);
  await run('npm', ['run', 'check:package']);
  await run('npm', ['run', 'check:smoke']);
  await run('npm', ['run', 'check:recipes']);
  await run('npm', ['run', 'test:current-node']);
} catch (error) {
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}
for (const { file, label } of results.filter(({ file }) => existsSync(file))) report(file, label);

/** Prints one line of numbers, and fails where a test failed or was left out. What failed is told last, where the end of a log still has it. */
function report(file, label) {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(readFileSync(file, 'utf8'));
  const left = numPendingTests + numTodoTests;
  for (const failure of failuresIn(testResults)) console.log(`\n${label}${failure}`);
  console.log(`${label}${numPassedTests} passed, ${numFailedTests} failed${left > 0 ? `, ${left} skipped` : ''}`);
  if (numPassedTests === 0 || numFailedTests > 0 || left > 0) process.exitCode = 1;
}

/** One text for each test that failed, and for each file that failed without one. */
function failuresIn(testResults) {
  const files = testResults.filter(({ status }) => status === 'failed');
  return files.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    const tests = failed.map(({ fullName, failureMessages }) => `FAILED ${name}: ${fullName}\n${failureMessages.join('\n')}`);
    return tests.length > 0 ? tests : [`FAILED ${name}\n${message}`];
  });
}
