#!/usr/bin/env node
import { describeStartFailure } from '../process/start_failure.ts'
import { runCommand } from './run_command.ts'

// A reader that leaves early, such as `head`, is no failure.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

runCommand(process.argv.slice(2), {
  folder: process.cwd(),
  environment: process.env,
  terminal: {
    say: (line) => void process.stdout.write(`${line}\n`),
    complain: (line) => void process.stderr.write(`${line}\n`),
  },
}).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    process.stderr.write(`${describeStartFailure(error)}\n`)
    process.exitCode = 1
  },
)
