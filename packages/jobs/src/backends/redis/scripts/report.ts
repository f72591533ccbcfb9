import { defineScript } from '@tailwater/redis'
import { GROUND } from '../lua/ground.ts'

/**
 * Takes progress and log lines of jobs that a worker holds, and drops those of others.
 * KEYS[1] the root
 * ARGV[1] worker, ARGV[2] lines kept of a job; then for each job: id, 1 if there is progress, progress, number of lines, the lines
 * Reply: number of jobs
 */
export const REPORT = defineScript({
  name: 'jobs.report',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${GROUND}
local at, count, keep = 3, 0, tonumber(ARGV[2])
-- The last argument is the time.
while at < #ARGV do
  local id, lines = ARGV[at], tonumber(ARGV[at + 3])
  if call('HEXISTS', root .. ':held:' .. ARGV[1], id) == 1 then
    count = count + 1
    if ARGV[at + 1] == '1' then call('HSET', NOTE, id, ARGV[at + 2]) else call('HSETNX', NOTE, id, '') end
    if lines > 0 then
      local log = root .. ':log:' .. id
      call('RPUSH', log, unpack(ARGV, at + 4, at + 3 + lines))
      call('LTRIM', log, -keep, -1)
    end
  end
  at = at + 4 + lines
end
return count`,
})
