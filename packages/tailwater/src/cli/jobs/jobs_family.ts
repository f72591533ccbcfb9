import type { CommandFamily } from '../command_family.ts'
import { manyTexts, texts } from '../option_values.ts'
import { add } from './jobs_add.ts'
import { clean, pause, redrive, resume, retry } from './jobs_changes.ts'
import { list, stats } from './jobs_content.ts'
import { importBullMqJobs } from './jobs_import.ts'
import { type JobsTools, openJobsTools } from './jobs_tools.ts'

const selection = texts('kind', 'key', 'tag')

/** `tailwater jobs …` */
export const jobsFamily: CommandFamily<JobsTools> = {
  name: 'jobs',
  open: openJobsTools,
  commands: {
    stats: { usage: '[QUEUE]', says: 'how many jobs are in each state, by queue', words: [0, 1], run: stats },
    list: {
      usage: '<QUEUE> [--state STATE] [--kind KIND] [--key KEY] [--tag TAG] [--search TEXT] [--limit N] [--cursor C]',
      says: 'jobs of a queue, the newest first',
      words: [1, 1],
      options: { ...selection, ...texts('state', 'search', 'limit', 'cursor') },
      run: list,
    },
    add: {
      usage: '<QUEUE> <KIND> [PAYLOAD] [--delay 5m] [--priority high] [--key KEY] [--tag TAG]… [--attempts N]',
      says: 'stores a job of any kind; its payload is JSON',
      words: [2, 3],
      options: { ...texts('delay', 'priority', 'key', 'attempts'), tag: manyTexts },
      run: add,
    },
    pause: { usage: '<QUEUE>', says: 'begins no more of its jobs, in any process', words: [1, 1], run: pause },
    resume: { usage: '<QUEUE>', says: 'begins its jobs again', words: [1, 1], run: resume },
    retry: {
      usage: '<JOB> | --queue QUEUE',
      says: 'makes a job available now, or all failed jobs of a queue',
      words: [0, 1],
      options: texts('queue'),
      run: retry,
    },
    clean: {
      usage: '<QUEUE> [--state STATE]… [--age 7d]',
      says: 'deletes jobs, by default all completed, cancelled and dead ones',
      words: [1, 1],
      options: { state: manyTexts, ...texts('age') },
      run: clean,
    },
    redrive: {
      usage: '<QUEUE> [--kind KIND] [--key KEY] [--tag TAG] [--to QUEUE]',
      says: 'makes dead jobs available again, here or in another queue',
      words: [1, 1],
      options: { ...selection, ...texts('to') },
      run: redrive,
    },
    'import-bullmq': {
      usage: '<BULLMQ QUEUE> [--to QUEUE] [--from redis://HOST] [--prefix bull] [--kind NAME=KIND]… [--dry-run]',
      says: 'takes waiting, delayed and repeatable jobs over from BullMQ; exit code 3 when something was left behind',
      words: [1, 1],
      options: { ...texts('to', 'from', 'prefix'), kind: manyTexts, 'dry-run': { type: 'boolean' } },
      run: importBullMqJobs,
    },
  },
}
