import { defineScript } from '@tailwater/redis'
import { ENDINGS } from '../lua/endings.ts'
import { GROUND } from '../lua/ground.ts'
import { LANES } from '../lua/lanes.ts'
import { PLACES } from '../lua/places.ts'

/**
 * Gives back what a worker holds, without counting the attempts, and forgets the worker.
 * KEYS[1] the root
 * ARGV[1] worker
 * Reply: number of jobs given back
 */
export const LEAVE = defineScript({
  name: 'jobs.leave',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${GROUND}${LANES}${PLACES}${ENDINGS}
local worker, key = ARGV[1], root .. ':held:' .. ARGV[1]
local held, queues = call('HGETALL', key), {}
for position = 1, #held, 2 do
  local id, _, startedAt, _, _, _, queue = held[position], heldOf(held[position + 1])
  local body, more, wasAsked = call('HGET', JOB, id), readMore(id), unhold(worker, id, queue)
  more.startedAt = startedAt
  if body and wasAsked then
    finish(queue, id, 'cancelled', more)
  elseif body then
    writeMore(id, more)
    release(queue, id, (headOf(body)), firstTick())
  end
  queues[queue] = true
end
forgetWorker(worker)
for queue in pairs(queues) do wake(queue) end
return #held / 2`,
})
