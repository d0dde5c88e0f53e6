// Everything that must hold before a change goes in, in the order of what fails soonest and most often; CI runs this and nothing else.
import { readFileSync } from 'node:fs';
import { run } from './run.mjs';

await run('npm', ['test']);
await run('npm', ['run', 'lint']);
await run('npm', ['run', 'typecheck']);
await run('npm', ['run', 'build']);
await run('npm', ['run', 'check:package']);
await run('npm', ['run', 'check:smoke']);
await run('npm', ['run', 'test:current-node']);

report('out/test-results-current-node.json', 'current:');
report('out/test-results.json');

/** Prints one line of numbers, and fails where a test was left out. */
function report(file, label) {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(file, 'utf8'));
  const left = numPendingTests + numTodoTests;
  console.log(`${label ? `${label} ` : ''}${numPassedTests} passed, ${numFailedTests} failed${left > 0 ? `, ${left} skipped` : ''}`);
  if (numPassedTests === 0 || numFailedTests > 0 || left > 0) process.exitCode = 1;
}
