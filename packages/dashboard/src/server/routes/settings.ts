import { hasCode } from '@tailwater/core'
import { Nullable, problem, type Route, route, Text } from '@tailwater/http'
import type { SettingChange, SettingState, Settings } from '@tailwater/postgres'
import { type Static, Type } from 'typebox'
import { changing, reading, tellChange } from '../change.ts'
import { principalOf } from '../guard.ts'
import { asked } from '../refusal.ts'
import { type Desk, SECURITY } from './desk.ts'

const moment = Type.Number({ description: 'Milliseconds since the Unix epoch.' })
const Value = (description: string) => Type.Unknown({ description })

const SettingView = Type.Object({
  name: Type.String({ examples: ['jobs.email.rate'] }),
  value: Value('In force, as it was written.'),
  default: Value('In force while nobody has said otherwise.'),
  isDefault: Type.Boolean(),
  description: Type.String(),
  updatedAt: Nullable(moment),
})
const ChangeView = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  who: Type.String(),
  old: Value('Null where the default was in force.'),
  new: Value('Null where the default is in force again.'),
  reason: Nullable(Type.String()),
  changedAt: moment,
})
const Name = Text(200, 1, { examples: ['jobs.email.rate'] })
const ChangeBody = Type.Object({
  name: Name,
  value: Type.Unknown({ description: 'Null lets the default be in force again.', examples: ['5/1s'] }),
  reason: Type.Optional(Text(500, 1, { description: 'Kept with the change.' })),
})
const HistoryQuery = Type.Object({
  name: Type.Optional(Name),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
  before: Type.Optional(
    Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Changes before this id.' }),
  ),
})

/** The routes of what can be changed while the processes run. */
export function settingsRoutes(desk: Desk, settings: Settings): Route[] {
  return [listRoute(desk, settings), changeRoute(desk, settings), historyRoute(desk, settings)]
}

const common = { tags: ['operations'], security: SECURITY }

function listRoute(desk: Desk, settings: Settings): Route {
  return route({
    ...common,
    method: 'GET',
    path: `${desk.mount}/api/settings`,
    id: 'settings',
    summary: 'What can be changed while the processes run',
    schema: { response: { 200: Type.Object({ data: Type.Array(SettingView) }) } },
    use: reading(desk),
    handler: () => ({ data: settings.list().map(settingView) }),
  })
}

function changeRoute(desk: Desk, settings: Settings): Route {
  return route({
    ...common,
    method: 'PATCH',
    path: `${desk.mount}/api/settings`,
    id: 'settingChange',
    summary: 'Change a setting, in every process',
    description:
      'In force here when the answer comes, and elsewhere within a moment. Who changed it, from what, and why, is kept.',
    schema: { body: ChangeBody, response: { 200: SettingView } },
    use: changing(desk),
    async handler({ body, exchange }) {
      await change(settings, body, principalOf(exchange)!.email)
      tellChange(exchange, 'settingChange', body.name)
      return settingView(settings.list().find(({ name }) => name === body.name)!)
    },
  })
}

async function change(
  settings: Settings,
  { name, value, reason }: Static<typeof ChangeBody>,
  who: string,
): Promise<void> {
  const author = { who, ...(reason !== undefined && { reason }) }
  try {
    await asked(
      () => (value === null ? settings.reset(name, author) : settings.set(name, value, author)),
      '/body/value',
    )
  } catch (error) {
    if (!hasCode(error, 'E_SETTING_UNKNOWN')) throw error
    throw problem(404, 'E_SETTING_UNKNOWN', `There is no setting '${name}'.`)
  }
}

function historyRoute(desk: Desk, settings: Settings): Route {
  return route({
    ...common,
    method: 'GET',
    path: `${desk.mount}/api/settings/history`,
    id: 'settingHistory',
    summary: 'Changes of settings, the latest first',
    schema: { query: HistoryQuery, response: { 200: Type.Object({ data: Type.Array(ChangeView) }) } },
    use: reading(desk),
    async handler({ query: { name, limit, before } }) {
      const asking = { limit, ...(name !== undefined && { name }), ...(before !== undefined && { before }) }
      return { data: (await settings.history(asking)).map(changeView) }
    },
  })
}

function settingView({ updatedAt, ...setting }: SettingState): Static<typeof SettingView> {
  return { ...setting, updatedAt: updatedAt ?? null }
}

function changeView({ old, new: value, reason, ...change }: SettingChange): Static<typeof ChangeView> {
  return { ...change, id: Number(change.id), old: old ?? null, new: value ?? null, reason: reason ?? null }
}
