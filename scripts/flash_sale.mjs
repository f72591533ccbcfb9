// npm run flash-sale: prints the figures of docs/guides/flash-sale.md, measured on this machine.
import { ensurePage } from './build_page.mjs'
import { ensureInstalled, runSource } from './set_up.mjs'

ensureInstalled()
ensurePage()
runSource('scripts/flash_sale/run.ts', process.argv.slice(2))
