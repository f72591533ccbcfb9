import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { cacheAccess, databasePool, httpRequest, jobAttempt } from '@tailwater/core'
import type { Browser, Page } from 'playwright-core'
import { assertAccessible, logIn, looks, openBrowser, openPage } from './browser_fixture.ts'
import { EMAIL, openDashboard, PASSWORD } from './dashboard_fixture.ts'

let browser: Browser
let pageFolder: string
let close: () => Promise<void>

before(async () => {
  ;({ browser, pageFolder, close } = await openBrowser())
})
after(() => close())

/** A dashboard whose seconds pass when the test says so, with an administrator. */
async function served(t: TestContext, { oneTime = false } = {}) {
  const opened = await openDashboard(t, { pageFolder })
  const first = await opened.accounts.ensureFirstAdministrator({
    email: EMAIL,
    password: oneTime ? undefined : PASSWORD,
  })
  return { ...opened, url: `${opened.origin}/tailwater`, oneTimePassword: first!.oneTimePassword }
}

/** One second in which so many requests are answered, and everything else happens too. */
async function second({ clock }: Pick<Awaited<ReturnType<typeof served>>, 'clock'>, requests: number): Promise<void> {
  for (let index = 0; index < requests; index++) {
    httpRequest.publish({
      requestId: 'r',
      method: 'GET',
      route: '/x',
      path: '/x',
      status: 200,
      ms: 20 + index,
      aborted: false,
      bytes: 1,
    })
    cacheAccess.publish({ requestId: 'r', cache: 'product', outcome: index % 4 === 0 ? 'miss' : 'hit', tier: 'near' })
  }
  jobAttempt.publish({
    requestId: 'r',
    kind: 'mail',
    jobId: '1',
    attempt: 1,
    outcome: 'completed',
    waitMs: 1,
    ms: 1,
    error: undefined,
  })
  databasePool.publish({ pool: 'primary', change: 'connected', open: 12, idle: 5, waiting: 0 })
  await clock.advance(1_000)
}

const tile = (page: Page, id: string) => page.locator(`[data-tile=${id}] [data-value]`)
const live = (page: Page) => page.locator('.shell[data-mode=live]').waitFor()
const shows = (page: Page, id: string, text: string) =>
  tile(page, id)
    .and(page.getByText(text, { exact: true }))
    .waitFor()

test('after logging in, every number moves with the second', async (t) => {
  const opened = await served(t)
  const page = await openPage(t, browser, opened.url)
  await logIn(page, EMAIL, PASSWORD)
  await live(page)
  await second(opened, 8)
  await shows(page, 'requests', '8')
  await shows(page, 'cache', '75.0')
  await shows(page, 'jobs-done', '1')
  await shows(page, 'connections', '12')
  await second(opened, 40)
  await shows(page, 'requests', '40')
  await page.getByText('p95').first().waitFor()
  const [, p95] = await Promise.all([0, tile(page, 'p95').textContent()])
  assert.match(p95!, /^\d/)
})

test('before anything has happened, the overview says so', async (t) => {
  const { url } = await served(t)
  const page = await openPage(t, browser, url)
  await logIn(page, EMAIL, PASSWORD)
  await live(page)
  await page.getByText('No requests yet').waitFor()
  assert.equal(await tile(page, 'p95').textContent(), '–')
  await assertAccessible(page)
})

test('the scripts of the first load are at most 250 kB, compressed', async () => {
  const assets = join(pageFolder, 'assets')
  const sizes = readdirSync(assets)
    .filter((name) => name.endsWith('.js.gz'))
    .map((name) => statSync(join(assets, name)).size)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  assert.ok(total > 0 && total <= 250_000, `${total} bytes`)
})

test('a wrong password is told, and nothing is shown', async (t) => {
  const { url } = await served(t)
  const page = await openPage(t, browser, url)
  await logIn(page, EMAIL, 'not the password')
  await page.getByRole('alert').getByText('is not right').waitFor()
  await assertAccessible(page)
  assert.equal(await page.locator('.tile').count(), 0)
})

test('the one-time password must be changed before anything is shown', async (t) => {
  const { url, oneTimePassword, logIn: logInAgain } = await served(t, { oneTime: true })
  const page = await openPage(t, browser, url)
  await logIn(page, EMAIL, oneTimePassword!)
  await page.getByRole('heading', { name: 'Choose a password' }).waitFor()
  await assertAccessible(page)
  await page.reload()
  await page.getByLabel('Current password').fill(oneTimePassword!)
  await page.getByLabel('New password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('New password again').fill('something else entirely')
  await page.getByRole('button', { name: 'Save and go on' }).click()
  await page.getByRole('alert').getByText('not the same').waitFor()
  await page.getByLabel('New password again').fill(PASSWORD)
  await page.getByRole('button', { name: 'Save and go on' }).click()
  await live(page)
  await logInAgain(EMAIL, PASSWORD)
})

test('every chart has its numbers as a table, and a sentence for who cannot see it', async (t) => {
  const opened = await served(t)
  const page = await openPage(t, browser, opened.url)
  await logIn(page, EMAIL, PASSWORD)
  await live(page)
  await second(opened, 8)
  await second(opened, 16)
  await shows(page, 'requests', '16')
  const picture = page.getByRole('img', { name: /^Requests, last 2 minutes\. Requests: 16\/s now, 8\/s to 16\/s\./ })
  await picture.waitFor()
  for (const title of ['Requests', 'Latency', 'Cache', 'Jobs', 'PostgreSQL connections', 'Process'])
    await page.getByRole('button', { name: `${title} as a table` }).click()
  const rows = page.getByRole('region', { name: /^Requests, last/ }).getByRole('row')
  assert.deepEqual((await rows.allInnerTexts()).map((row) => row.split(/\s+/).slice(-1)[0]).length, 3)
  assert.match((await rows.allInnerTexts())[1]!, /16\/s/)
  assert.match((await rows.nth(1).getByRole('rowheader').getAttribute('title'))!, /UTC$/)
  await assertAccessible(page)
})

test('a lost connection is told with the age of what is shown, and mends by itself without a gap', async (t) => {
  const opened = await served(t)
  const page = await openPage(t, browser, opened.url)
  await logIn(page, EMAIL, PASSWORD)
  await live(page)
  await second(opened, 8)
  await shows(page, 'requests', '8')
  await page.route('**/api/stream*', (route) => route.abort())
  await opened.dashboard.stop()
  await page.getByRole('button', { name: /Reconnecting/ }).waitFor()
  assert.equal(await tile(page, 'requests').textContent(), '8')
  await second(opened, 23)
  await page.unroute('**/api/stream*')
  await page.getByRole('button', { name: /Try now/ }).click()
  await live(page)
  await shows(page, 'requests', '23')
})

test('a session that ends elsewhere leads back to the log-in', async (t) => {
  const opened = await served(t)
  const page = await openPage(t, browser, opened.url)
  await logIn(page, EMAIL, PASSWORD)
  await live(page)
  await opened.database.query(`DELETE FROM "${opened.schema}".sessions`)
  await opened.dashboard.stop()
  await page.getByText('You were logged out').waitFor()
})

test('logging out forgets the session', async (t) => {
  const opened = await served(t)
  const page = await openPage(t, browser, opened.url)
  await logIn(page, EMAIL, PASSWORD)
  await live(page)
  await page.getByRole('button', { name: `Account of ${EMAIL}` }).click()
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('heading', { name: 'Log in' }).waitFor()
  await page.reload()
  await page.getByRole('heading', { name: 'Log in' }).waitFor()
  const { rows } = await opened.database.query(`SELECT 1 FROM "${opened.schema}".sessions`)
  assert.equal(rows.length, 0)
})

test('the page works with the keyboard alone', async (t) => {
  const opened = await served(t)
  const page = await openPage(t, browser, opened.url)
  await page.getByLabel('E-mail').waitFor()
  await page.keyboard.type(EMAIL)
  await page.keyboard.press('Tab')
  await page.keyboard.type(PASSWORD)
  await page.keyboard.press('Enter')
  await live(page)
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement?.textContent?.trim()), 'Skip to the numbers')
  const table = page.getByRole('button', { name: 'Requests as a table' })
  for (
    let presses = 0;
    presses < 12 && !(await table.evaluate((button) => button === document.activeElement));
    presses++
  )
    await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByRole('region', { name: /^Requests, last/ }).waitFor()
})

test('a chosen colour scheme is kept, whatever the system says', async (t) => {
  const { url } = await served(t)
  const page = await openPage(t, browser, url, { colorScheme: 'light' })
  const scheme = () => page.evaluate(() => document.documentElement.dataset['mantineColorScheme'])
  assert.equal(await scheme(), 'light')
  await page.getByRole('button', { name: /^Colours/ }).click()
  await page.getByRole('button', { name: /^Colours: light/ }).click()
  assert.equal(await scheme(), 'dark')
  await page.reload()
  assert.equal(await scheme(), 'dark')
})

for (const [name, look] of Object.entries(looks))
  test(`log-in and overview are accessible: ${name}`, async (t) => {
    const opened = await served(t)
    const page = await openPage(t, browser, opened.url, look)
    await page.getByLabel('E-mail').waitFor()
    await assertAccessible(page)
    await logIn(page, EMAIL, PASSWORD)
    await live(page)
    for (let index = 0; index < 5; index++) await second(opened, 10 + index)
    await shows(page, 'requests', '14')
    await assertAccessible(page)
    await page.getByRole('button', { name: `Account of ${EMAIL}` }).click()
    await page.getByRole('link', { name: 'API reference' }).waitFor()
    await assertAccessible(page, '.account-list')
  })
