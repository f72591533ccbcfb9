// npm test: installs, builds the page, and hands over to the runner that brings the servers up.
import { ensurePage } from './build_page.mjs'
import { ensureInstalled, runSource } from './set_up.mjs'

ensureInstalled()
ensurePage()
runSource('scripts/test_run.ts', process.argv.slice(2))
