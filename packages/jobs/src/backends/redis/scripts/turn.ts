import { defineScript } from '@tailwater/redis'
import { BASE } from '../lua/base.ts'
import { ENDINGS } from '../lua/endings.ts'
import { LANE_CLAIMS } from '../lua/lane_claims.ts'
import { LANES } from '../lua/lanes.ts'
import { lazily } from '../lua/lazily.ts'
import { PLACES } from '../lua/places.ts'
import { RECORDS } from '../lua/records.ts'
import { REMOVAL } from '../lua/removal.ts'
import { TICKS } from '../lua/ticks.ts'
import { TURN_PLAIN } from '../lua/turn_plain.ts'
import { TURN_RARE } from '../lua/turn_rare.ts'
import { UPKEEP } from '../lua/upkeep.ts'

const RARE = [
  'completeOne',
  'dissolveLanes',
  'endOther',
  'forget',
  'forgetMinutes',
  'forgotten',
  'freeLanes',
  'lostOf',
  'popLimited',
  'promote',
  'repeatTurn',
  'rescue',
]

/**
 * A worker's turn: acknowledges, renews, promotes, rescues, claims.
 * KEYS[1] the root
 * ARGV[1] worker, ARGV[2] lease in milliseconds, ARGV[3] crashes that a job may have, ARGV[4] number of the turn,
 * or empty if it cannot come twice
 * ARGV[5] number n of completed attempts; then n ids, n attempts, n results
 * then the number of other ends; for each: id, attempt, outcome, error, delay in milliseconds
 * then the number of wanted queues; for each: queue, count
 * then -1, or the number of ids that the worker believes it runs; then those
 * Reply: now; claims; refused ids; ids to stop; milliseconds until something may become available, or -1; buried jobs (id, body, attempt); ids that
 * the worker believed it ran, and does not hold
 * A claim: queue; id and score of each job; their bodies; their records. Jobs given again: '', id, score, attempt and
 * begin of each, bodies, nothing.
 *
 * A turn that comes a second time is one that the driver of a cluster has sent again, to the successor of a master that had done it: it gets what that had
 * given it, and nothing else happens. Two may be under way at a time, and both come again.
 *
 * The first write is one that the server allows when its memory is full, and so allows all others: what is under way can always end.
 */
export const TURN = defineScript({
  name: 'jobs.turn',
  version: 1,
  keys: ['root'],
  time: true,
  lua: `${BASE}
local worker, lease, maxCrashes, number = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local HELD, STOP = root .. ':held:' .. worker, root .. ':stop:' .. worker
call('ZREM', root .. ':workers', '')
local stops = call('SMEMBERS', STOP)
${lazily(`${TICKS}${RECORDS}${LANES}${LANE_CLAIMS}${PLACES}${ENDINGS}${REMOVAL}${UPKEEP}${TURN_RARE}`, RARE)}
if number ~= '' then
  local last, before = string.match(call('GET', root .. ':seen:' .. worker) or ' ', '^(%S*) (%S*)$')
  if number == last or number == before then return rest().repeatTurn() end
  call('SET', root .. ':seen:' .. worker, number .. ' ' .. last)
end
${TURN_PLAIN}
local refused, touched, at = {}, {}, 5
at = endCompleted(at, refused, touched)
at = endOthers(at, refused, touched)
call('ZADD', root .. ':workers', whole(now + lease), worker)
return takeTurn(at, refused, touched)`,
})
