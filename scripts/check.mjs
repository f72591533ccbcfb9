// npm run check: installs, then runs every check.
import { ensureInstalled, runSource } from './set_up.mjs'

ensureInstalled()
runSource('scripts/check_run.ts', process.argv.slice(2))
