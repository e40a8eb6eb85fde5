import { startProcess, temporaryFolder } from './processes.ts';

// What processes.test.ts kills: has a program with a child of its own and a folder, and prints their pids and its path.
const folder = temporaryFolder('child');
const parent = "console.log(require('node:child_process').spawn('sleep', ['600'], { stdio: 'inherit' }).pid)";
const running = startProcess({
  name: 'parent',
  command: process.execPath,
  args: ['-e', parent],
  onLine: (grandchild) => console.log(JSON.stringify({ pids: [running.pid, Number(grandchild)], folder })),
});
await running.exited;
