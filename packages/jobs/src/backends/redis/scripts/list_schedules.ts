import { defineScript } from '@tailwater/redis'
import { GROUND } from '../lua/ground.ts'

/**
 * Reads schedules, the soonest first.
 * KEYS[1] the root
 * ARGV[1] `due` for those whose moment has come, or `all`, ARGV[2] how many at most
 * Reply: now; for each: name, definition, next moment, last moment, paused; empty where there is none
 */
export const LIST_SCHEDULES = defineScript({
  name: 'jobs.list_schedules',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${GROUND}
local most = ARGV[1] == 'due' and now or '+inf'
local found = {}
for _, name in ipairs(call('ZRANGEBYSCORE', root .. ':schedules', '-inf', most, 'LIMIT', 0, ARGV[2])) do
  local fields = call('HMGET', root .. ':schedule:' .. name, 'definition', 'nextAt', 'lastAt', 'paused')
  found[#found + 1] = { name, fields[1], fields[2] or '', fields[3] or '', fields[4] or '0' }
end
return { now, found }`,
})
