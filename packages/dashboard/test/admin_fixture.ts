import type { TestContext } from 'node:test'
import { type AdminChangeEvent, adminChange, listen } from '@tailwater/core'
import { type Answer, openDashboard } from './dashboard_fixture.ts'

const API = '/tailwater/api'

/** Changes told since the test began. */
export function changesTold(t: TestContext): AdminChangeEvent[] {
  const told: AdminChangeEvent[] = []
  t.after(listen(adminChange, (event) => void told.push(event)))
  return told
}

/** Asks as somebody of a role; the answer's body as whatever the test expects. */
export type Call = <Body = Record<string, unknown>>(
  method: string,
  path: string,
  body?: unknown,
) => Promise<Omit<Answer, 'body'> & { body: Body }>

/** A dashboard whose application says who is calling by the header `x-role`. */
export async function openAdmin(t: TestContext, options: Parameters<typeof openDashboard>[1]) {
  const opened = await openDashboard(t, {
    authorize: ({ headers }) =>
      typeof headers['x-role'] === 'string' ? { email: 'ada@example.com', role: headers['x-role'] } : undefined,
    ...options,
  })
  const as =
    (role: string | undefined): Call =>
    (method, path, body) =>
      opened.ask(method, `${API}${path}`, { body, headers: role === undefined ? {} : { 'x-role': role } }) as never
  return { ...opened, call: as('administrator'), look: as('viewer'), strange: as(undefined) }
}
