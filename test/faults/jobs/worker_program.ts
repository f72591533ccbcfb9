// A worker in a process of its own, to be killed and frozen. Its argument is a WorkerConfig as JSON.
import { openJobStore } from './job_store.ts'
import { loadJobsPackage } from './jobs_package.ts'
import { createWork } from './work.ts'
import { openWitness } from './work_journal.ts'
import type { WorkerConfig } from './worker_crew.ts'

const { store, journal, source, ...options } = JSON.parse(process.argv[2]!) as WorkerConfig
const version = await loadJobsPackage(source)
const { backend } = await openJobStore(store, version)
const { jobs } = createWork(backend, options, openWitness(journal), version)
await jobs.start()
process.on('disconnect', () => process.exit(0))
process.on('message', () => {})
process.send?.('ready')
