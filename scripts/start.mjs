// npm start: installs, builds the page, and runs the merchant.
import { ensurePage } from './build_page.mjs'
import { ensureInstalled, runSource } from './set_up.mjs'

ensureInstalled()
ensurePage()
runSource('apps/merchant/src/main.ts', process.argv.slice(2))
