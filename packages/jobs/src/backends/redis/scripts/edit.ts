import { defineScript } from '@tailwater/redis'
import { ADDING_RARE } from '../lua/adding_rare.ts'
import { ENDINGS } from '../lua/endings.ts'
import { GROUND } from '../lua/ground.ts'
import { LANES } from '../lua/lanes.ts'
import { PLACES } from '../lua/places.ts'

/**
 * Changes a job that does not run and is not completed.
 * KEYS[1] the root
 * ARGV[1] id, ARGV[2] 1 if the payload changes, ARGV[3] payload, ARGV[4] priority, ARGV[5] moment, ARGV[6] queue; each empty if it stays
 * Reply: 1, or 0 if it cannot be changed
 */
export const EDIT = defineScript({
  name: 'jobs.edit',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${GROUND}${LANES}${PLACES}${ENDINGS}${ADDING_RARE}
local job = find(ARGV[1])
if not job or job.state == 'running' or job.state == 'completed' then return 0 end
local more, runAt = readMore(job.id), tonumber(ARGV[5])
pull(job)
if ARGV[6] ~= '' then move(job, ARGV[6]) end
rewrite(job, ARGV[2] == '1' and ARGV[3] or nil, ARGV[4] ~= '' and ARGV[4] or nil, job.queue)
if runAt then
  more.runAt = whole(math.max(now, runAt))
  writeMore(job.id, more)
end
if FINAL[job.state] or job.state == 'pending' then
  call('ZADD', root .. ':' .. job.place .. ':' .. job.queue, job.score, job.id)
elseif job.state == 'available' and not (runAt and runAt > now) then
  release(job.queue, job.id, job.priority, job.score % STEP)
  wake(job.queue)
else
  local due = runAt or math.floor(job.score / 256)
  if due > now then postpone(job.queue, job.id, job.priority, due, job.state == 'retryable' and 'retryable' or 'scheduled')
  else place(job.queue, job.id, job.priority, 0) end
end
return 1`,
})
