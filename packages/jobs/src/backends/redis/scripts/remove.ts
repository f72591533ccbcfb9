import { defineScript } from '@tailwater/redis'
import { ENDINGS } from '../lua/endings.ts'
import { GROUND } from '../lua/ground.ts'
import { LANES } from '../lua/lanes.ts'
import { PLACES } from '../lua/places.ts'
import { REMOVAL } from '../lua/removal.ts'

/**
 * Deletes jobs that do not run.
 * KEYS[1] the root
 * ARGV[1] milliseconds since which they must have ended, or if they have not, been enqueued; empty for no matter, ARGV[2] states in which they must be, separated
 * by spaces, or empty; then ids
 * Reply: number of jobs
 */
export const REMOVE = defineScript({
  name: 'jobs.remove',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${GROUND}${LANES}${PLACES}${ENDINGS}${REMOVAL}
local count, states, age = 0, {}, tonumber(ARGV[1])
for state in string.gmatch(ARGV[2], '%S+') do states[state] = true end

local function isOld(job)
  if not age then return true end
  local since = FINAL[job.state] and job.score or call('ZSCORE', root .. ':all:' .. job.queue, job.id)
  return tonumber(since) <= now - age
end

for position = 3, #ARGV - 1 do
  local job = find(ARGV[position])
  if job and job.state ~= 'running' and (ARGV[2] == '' or states[job.state]) and isOld(job) then
    remove(job)
    count = count + 1
  end
end
return count`,
})
