import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { AxeBuilder } from '@axe-core/playwright'
import { requireProgram } from '@tailwater/core/testing'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { build } from 'vite'

const WEB = join(dirname(dirname(fileURLToPath(import.meta.url))), 'web')
/** No sandbox, because tests run as root too; nothing that asks the network for anything. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A browser, and the page as it is now, built into a folder of its own. */
export async function openBrowser(): Promise<{ browser: Browser; pageFolder: string; close(): Promise<void> }> {
  const pageFolder = await mkdtemp(join(tmpdir(), 'tailwater-web-'))
  const [browser] = await Promise.all([
    chromium.launch({ executablePath: requireProgram('chromium'), args: ARGUMENTS }),
    build({ root: WEB, logLevel: 'error', build: { outDir: pageFolder, emptyOutDir: true } }),
  ])
  return {
    browser,
    pageFolder,
    async close() {
      await browser.close()
      await rm(pageFolder, { recursive: true })
    },
  }
}

/** Milliseconds until a wait fails: a machine may have much else to do. */
const PATIENCE = 60_000

/** The looks that every page must have. */
export const looks: Record<string, BrowserContextOptions> = {
  'light, on a desk': { colorScheme: 'light', viewport: { width: 1440, height: 900 } },
  'dark, on a desk': { colorScheme: 'dark', viewport: { width: 1440, height: 900 } },
  'light, on a phone': { colorScheme: 'light', viewport: { width: 390, height: 844 }, hasTouch: true },
  'dark, on a phone': { colorScheme: 'dark', viewport: { width: 390, height: 844 }, hasTouch: true },
}

/** A fresh window, in which no script may fail and nothing may break the page's own policy. */
export async function openPage(
  t: TestContext,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({
    locale: 'en-GB',
    timezoneId: 'Europe/London',
    reducedMotion: 'reduce',
    ...options,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE)
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  // Refused requests are told on the console too, and are what some tests are about.
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text())
  })
  t.after(async () => {
    await context.close()
    assert.deepEqual(faults, [])
  })
  await page.goto(url)
  return page
}

/** Demands that axe finds nothing wrong within an element, and that nothing is wider than the window. */
export async function assertAccessible(page: Page, within = 'body'): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .include(within)
    .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze()
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`),
    [],
  )
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth] as const)
  assert.ok(content <= window, `the page is ${content} px wide in a window of ${window} px`)
}

/** Types the credentials and sends them. */
export async function logIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
}
