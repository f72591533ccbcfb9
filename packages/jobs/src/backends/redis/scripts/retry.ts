import { defineScript } from '@tailwater/redis'
import { ADDING_RARE } from '../lua/adding_rare.ts'
import { ENDINGS } from '../lua/endings.ts'
import { GROUND } from '../lua/ground.ts'
import { LANES } from '../lua/lanes.ts'
import { PLACES } from '../lua/places.ts'

/**
 * Makes jobs available now, or pending if they wait for children.
 * KEYS[1] the root
 * ARGV[1] queue to move them to, or empty, ARGV[2] states in which that is done, separated by spaces; then ids
 * Reply: number of jobs
 */
export const RETRY = defineScript({
  name: 'jobs.retry',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${GROUND}${LANES}${PLACES}${ENDINGS}${ADDING_RARE}
local count, states = 0, {}
for state in string.gmatch(ARGV[2], '%S+') do states[state] = true end

local function retry(job)
  local more, link = readMore(job.id), linkOf(job.id)
  pull(job)
  if ARGV[1] ~= '' then move(job, ARGV[1]) end
  if FINAL[job.state] then more.attempt, more.crashes = 0, 0 end
  more.runAt = whole(now)
  writeMore(job.id, more)
  if FINAL[job.state] and link and link.parent ~= '' and call('HEXISTS', JOB, link.parent) == 1 then
    call('HINCRBY', WAIT, link.parent, 1)
  end
  if tonumber(call('HGET', WAIT, job.id) or 0) > 0 then call('ZADD', root .. ':pending:' .. job.queue, present, job.id)
  else place(job.queue, job.id, job.priority, 0) end
end

for position = 3, #ARGV - 1 do
  local job = find(ARGV[position])
  if job and states[job.state] then
    retry(job)
    count = count + 1
  end
end
return count`,
})
