// npm run bench -- NAME: installs the peers into the bench project on first use, then measures.
import { join } from 'node:path'
import { ensurePage } from './build_page.mjs'
import { ensureInstalled, root, runSource } from './set_up.mjs'

ensureInstalled()
ensurePage()
ensureInstalled(join(root, 'bench'), 'Installing the peers')
runSource('bench/run.ts', process.argv.slice(2))
