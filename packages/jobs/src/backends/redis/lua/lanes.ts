/*
 * Lanes: the order within a queue whose keys have limits or take turns.
 *
 * Problem: the next job of a queue may be one whose key is at its limit, and behind it may wait a million more of the same key. Skipping them one by one would
 * cost a million steps a claim.
 *
 * Method: jobs of a key wait in a lane of their own, and `lanes` orders the lanes that may begin a job now: by the score of their first job, or, with fair
 * turns, by its priority and the lane's turn. A lane at its concurrency is not among them, and comes back when one of its jobs
 * ends; one at its rate rests until its time (`resting`). A claim takes the first lane, its first job, and puts the lane back: a few steps, however many wait.
 * Jobs without a key are the lane named '', which is `available` itself; it has no limits.
 *
 * Rates count by GCRA (ITU-T I.371): of each key only the moment is kept at which its allowance is whole again (`paced`), and that only until then.
 *
 * Turns are those of start-time fair queuing (Goyal, Vin and Cheng, SIGCOMM 1996), every job of the same length: a lane's turn is one after its last, but not
 * before the turn being served, so that a lane that was away saves nothing up. What is remembered of a lane (`served`) is forgotten when the turns have gone past
 * it, and everything when the queue is empty.
 *
 * Lanes of equal score stand in the order of the ids of their first jobs: a lane's name among `lanes` is that id, a line feed and the key. `heads` has the names
 * by key.
 *
 * Limits that change: jobs with a key that stand in `available` because the queue had no lanes go to their lanes when one is met; lanes of a queue that has
 * none any more are dissolved in bites.
 */

/** Needs GROUND. */
export const LANES = String.raw`
local function laneOf(queue, key)
  if key == '' then return root .. ':available:' .. queue end
  return root .. ':lane:' .. #queue .. ':' .. queue .. ':' .. key
end

-- When a key may begin its next job: in the past when it may now.
local function keyStartsAt(queue, key, settings)
  local whole_at = call('ZSCORE', root .. ':paced:' .. queue, key)
  return whole_at and tonumber(whole_at) + settings.keyRatePer / settings.keyRateCount - settings.keyRatePer or 0
end

local function servedOf(queue, priority) return root .. ':served:' .. priority .. ':' .. queue end

-- The turn of a lane that comes in.
local function turnOf(queue, priority, key)
  local present = tonumber(call('HGET', root .. ':turns:' .. queue, priority) or 0)
  local last = call('ZSCORE', servedOf(queue, priority), key)
  return last and math.max(present, last + 1) or present
end
local function forgetTurns(queue)
  for _, priority in ipairs(call('HKEYS', root .. ':turns:' .. queue)) do call('DEL', servedOf(queue, priority)) end
  call('DEL', root .. ':turns:' .. queue)
end

local function takeOut(queue, key, name)
  if not name then return end
  call('ZREM', root .. ':lanes:' .. queue, name)
  call('HDEL', root .. ':heads:' .. queue, key)
end

-- Whether the limits of a key let it begin a job; if its rate does not, it rests.
local function mayBegin(queue, key, settings)
  if key == '' then return true end
  if settings.keyConcurrency and tonumber(call('HGET', root .. ':busy:' .. queue, key) or 0) >= settings.keyConcurrency then return false end
  local at = settings.keyRateCount and keyStartsAt(queue, key, settings)
  if not at or at <= now then return true end
  call('ZADD', root .. ':resting:' .. queue, math.ceil(at), key)
  return false
end

-- Puts a lane where its first job and its limits want it; called after whatever may have changed either. Out: it is known not to stand among the lanes.
local function offer(queue, key, isOut)
  local settings, lanes, heads = settingsOf(queue), root .. ':lanes:' .. queue, root .. ':heads:' .. queue
  local head = call('ZRANGE', laneOf(queue, key), 0, 0, 'WITHSCORES')
  local standing = not isOut and call('HGET', heads, key)
  if not head[1] or not mayBegin(queue, key, settings) then return takeOut(queue, key, standing) end
  local name, score = head[1] .. '\n' .. key, head[2]
  if settings.fair then
    local priority, before = priorityOf(score), standing and call('ZSCORE', lanes, standing)
    score = before and priorityOf(before) == priority and before or scoreOf(priority, turnOf(queue, priority, key))
  end
  if standing and standing ~= name then call('ZREM', lanes, standing) end
  call('ZADD', lanes, score, name)
  if standing ~= name then call('HSET', heads, key, name) end
end

local function pushIntoLane(queue, key, id, score)
  call('ZADD', laneOf(queue, key), score, id)
  offer(queue, key)
end

-- A job of the key has ended, or was given back.
local function leaveLane(queue, key)
  if key == '' or not settingsOf(queue).keyConcurrency then return end
  local busy = root .. ':busy:' .. queue
  if call('HEXISTS', busy, key) == 1 and call('HINCRBY', busy, key, -1) <= 0 then call('HDEL', busy, key) end
  offer(queue, key)
end

-- Lets lanes begin again whose time has come.
local function endRests(queue, settings)
  if settings.keyRateCount then call('ZREMRANGEBYSCORE', root .. ':paced:' .. queue, '-inf', now) end
  local rested = call('ZRANGEBYSCORE', root .. ':resting:' .. queue, '-inf', now, 'LIMIT', 0, 1000)
  if #rested == 0 then return end
  call('ZREM', root .. ':resting:' .. queue, unpack(rested))
  for _, key in ipairs(rested) do offer(queue, key) end
end

-- Moves jobs of a lane back among the others, in a bite; says how many.
local function dissolveLane(queue, key)
  local bite = key ~= '' and call('ZRANGE', laneOf(queue, key), 0, 999, 'WITHSCORES') or {}
  local back = {}
  for position = 1, #bite, 2 do
    back[position], back[position + 1] = bite[position + 1], bite[position]
  end
  if #back > 0 then
    call('ZADD', laneOf(queue, ''), unpack(back))
    call('ZREMRANGEBYRANK', laneOf(queue, key), 0, #back / 2 - 1)
  end
  if #back < 2000 then
    takeOut(queue, key, call('HGET', root .. ':heads:' .. queue, key))
    call('ZREM', root .. ':resting:' .. queue, key)
    call('HDEL', root .. ':busy:' .. queue, key)
  end
  return #back / 2
end

-- Dissolves lanes that a queue does not need any more, in a bite; true while some are left.
local function dissolveLanes(queue)
  local heads, resting, busy = root .. ':heads:' .. queue, root .. ':resting:' .. queue, root .. ':busy:' .. queue
  local left = 2000
  while left > 0 and call('EXISTS', heads, resting, busy) > 0 do
    local key = call('HRANDFIELD', heads) or call('ZRANGE', resting, 0, 0)[1] or call('HRANDFIELD', busy)
    left = left - 1 - dissolveLane(queue, key)
  end
  if left > 0 then call('HSET', root .. ':config', queue, (string.gsub(call('HGET', root .. ':config', queue), '^(%a*)l', '%1'))) end
  return left <= 0
end
`
