// npm run check: installs, builds the page that is packed, then runs every check.
import { ensurePage } from './build_page.mjs'
import { ensureInstalled, runSource } from './set_up.mjs'

ensureInstalled()
ensurePage()
runSource('scripts/check_run.ts', process.argv.slice(2))
