#!/usr/bin/env node
import { createLogger } from '../program/log.ts';
import { runProgram } from '../program/run.ts';
import { untilTerminated } from '../program/signals.ts';
import { readWebhookConfig } from './config.ts';
import { runWebhook } from './run.ts';

await runProgram(async () => {
  const config = readWebhookConfig(process.argv.slice(2));
  await runWebhook(config, createLogger('webhook', config.logLevel), untilTerminated());
});
