#!/usr/bin/env node
import { createLogger } from '../program/log.ts';
import { runProgram } from '../program/run.ts';
import { untilTerminated } from '../program/signals.ts';
import { readReconcilerConfig } from './config.ts';
import { runReconciler } from './run.ts';

await runProgram(async () => {
  const config = readReconcilerConfig(process.argv.slice(2));
  await runReconciler(config, createLogger('reconciler', config.logLevel), untilTerminated());
});
