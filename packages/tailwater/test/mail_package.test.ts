import assert from 'node:assert/strict'
import { registerHooks } from 'node:module'
import { after, test } from 'node:test'
import type { FileStore } from '@tailwater/core'
import { systemClock } from '@tailwater/core'
import { openMailer } from '../src/mail/open_mailer.ts'

// As Node answers where nodemailer is not installed.
const hooks = registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== 'nodemailer') return next(specifier, context)
    throw Object.assign(new Error("Cannot find package 'nodemailer'"), { code: 'ERR_MODULE_NOT_FOUND' })
  },
})
after(() => hooks.deregister())

const parts = { clock: systemClock, files: {} as FileStore }
const missing = { code: 'E_PACKAGE_MISSING', message: /npm install nodemailer/ }

test('nodemailer is asked for by the first mail, and not of those who send none', async () => {
  const mailer = await openMailer({ mail: { from: 'shop@localhost', smtpUrl: undefined } }, parts)
  await assert.rejects(mailer.send({ to: 'ada@example.com', subject: 'Hello', text: 'Hello' }), missing)
  await mailer.close()
})

test('with a mail server nodemailer is asked for at the start', async () => {
  const mail = { from: 'shop@localhost', smtpUrl: 'smtp://127.0.0.1:1' }
  await assert.rejects(openMailer({ mail }, parts), missing)
})
