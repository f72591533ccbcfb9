/*
 * Claims from lanes, and their ends, many at a time.
 *
 * A claim of n jobs takes the first n lanes out together, which are enough: each has a job that may begin. It goes through them in their order; a lane that may
 * begin another job takes its new place among those still to come. What is left goes back. So a job costs one or two steps of the server, and the rest is done
 * for all of them at once.
 */

/** Needs LANES. */
export const LANE_CLAIMS = String.raw`
-- Moves the turns of a priority on to one that is being served; what is remembered of lanes from before it is of no use any more.
local turnsKnown = {}
local function serve(queue, priority, turn)
  local turns, name = root .. ':turns:' .. queue, priority .. ':' .. queue
  turnsKnown[name] = turnsKnown[name] or tonumber(call('HGET', turns, priority) or -1)
  if turn <= turnsKnown[name] then return end
  turnsKnown[name] = turn
  call('HSET', turns, priority, whole(turn))
  call('ZREMRANGEBYSCORE', servedOf(queue, priority), '-inf', '(' .. whole(turn))
end

-- Takes out the first lanes, with what their limits remember. Their names stay among the heads until putLanes.
local function takeLanes(queue, settings, count)
  local popped, lanes, keys = call('ZPOPMIN', root .. ':lanes:' .. queue, count), {}, {}
  for position = 1, #popped, 2 do
    local key = string.match(popped[position], '^[^\n]*\n(.*)$')
    keys[#keys + 1] = key
    lanes[#lanes + 1] = { key = key, name = popped[position], score = tonumber(popped[position + 1]), at = laneOf(queue, key) }
  end
  if #lanes == 0 then return lanes end
  -- With a concurrency of 1 a lane that stands runs nothing.
  local busy = (settings.keyConcurrency or 1) > 1 and call('HMGET', root .. ':busy:' .. queue, unpack(keys)) or {}
  local paced = settings.keyRateCount and call('ZMSCORE', root .. ':paced:' .. queue, unpack(keys)) or {}
  for position, lane in ipairs(lanes) do
    lane.busy, lane.paced = tonumber(busy[position] or 0), tonumber(paced[position] or 0)
  end
  return lanes
end

-- Counts a begin against a lane's limits, and says whether it may begin another job.
local function beginIn(lane, settings)
  lane.hasBegun = true
  if lane.key == '' then return true end
  lane.busy = lane.busy + 1
  if settings.keyRateCount then
    lane.paced = math.max(now, lane.paced) + settings.keyRatePer / settings.keyRateCount
    local at = lane.paced + settings.keyRatePer / settings.keyRateCount - settings.keyRatePer
    lane.restsUntil = at > now and math.ceil(at) or nil
  end
  return not lane.restsUntil and not (settings.keyConcurrency and lane.busy >= settings.keyConcurrency)
end

-- Gives a lane its new place among those from a position on; false if it is empty.
local function replaceLane(queue, settings, lanes, from, lane)
  local head = call('ZRANGE', lane.at, 0, 0, 'WITHSCORES')
  if not head[1] then return false end
  local score, priority = tonumber(head[2]), priorityOf(lane.score)
  if settings.fair then
    local next = priorityOf(score)
    score = (next - 128) * STEP + (next == priority and lane.score % STEP + 1 or turnOf(queue, next, lane.key))
  end
  lane.score, lane.name = score, head[1] .. '\n' .. lane.key
  -- From the end: with fair turns it mostly belongs there.
  local position = #lanes + 1
  while position > from and (lanes[position - 1].score > score or (lanes[position - 1].score == score and lanes[position - 1].name > lane.name)) do
    position = position - 1
  end
  table.insert(lanes, position, lane)
  return true
end

-- Writes what the limits remember of lanes that have begun jobs, and puts those back that still stand.
local function putLanes(queue, settings, begun, lanes, from)
  local order, heads, busy, paced, resting, gone = {}, {}, {}, {}, {}, {}
  for position = from, #lanes do
    local lane = lanes[position]
    order[#order + 1], order[#order + 2] = whole(lane.score), lane.name
    heads[#heads + 1], heads[#heads + 2] = lane.key, lane.name
    lane.isBack = true
  end
  for _, lane in ipairs(begun) do
    if not lane.isBack then gone[#gone + 1] = lane.key end
    if lane.key ~= '' then
      busy[#busy + 1], busy[#busy + 2] = lane.key, lane.busy
      paced[#paced + 1], paced[#paced + 2] = lane.paced, lane.key
      if lane.restsUntil then resting[#resting + 1], resting[#resting + 2] = lane.restsUntil, lane.key end
    end
  end
  if #order > 0 then
    call('ZADD', root .. ':lanes:' .. queue, unpack(order))
    call('HSET', root .. ':heads:' .. queue, unpack(heads))
  end
  if #gone > 0 then call('HDEL', root .. ':heads:' .. queue, unpack(gone)) end
  if settings.keyConcurrency and #busy > 0 then call('HSET', root .. ':busy:' .. queue, unpack(busy)) end
  if settings.keyRateCount and #paced > 0 then call('ZADD', root .. ':paced:' .. queue, unpack(paced)) end
  if #resting > 0 then call('ZADD', root .. ':resting:' .. queue, unpack(resting)) end
end

-- Jobs with a key that stand among those without, because the queue had no lanes when they came: gives a thousand their lanes.
local function sortStrays(queue)
  local popped, keys, back = call('ZPOPMIN', laneOf(queue, ''), 1000), {}, {}
  for position = 1, #popped, 2 do
    local link = linkOf(popped[position])
    if link and link.key ~= '' then
      keys[link.key] = true
      call('ZADD', laneOf(queue, link.key), popped[position + 1], popped[position])
    else
      back[#back + 1], back[#back + 2] = popped[position + 1], popped[position]
    end
  end
  if #back > 0 then call('ZADD', laneOf(queue, ''), unpack(back)) end
  for key in pairs(keys) do offer(queue, key) end
  offer(queue, '')
end

-- Takes the first job of a lane; nil if it is a stray, which stays.
local function popJob(lane)
  local job = call('ZPOPMIN', lane.at)
  local link = lane.key == '' and linkOf(job[1])
  if not link or link.key == '' then return job end
  call('ZADD', lane.at, job[2], job[1])
end

-- Takes jobs of lanes that were taken out, in their order; true if it stopped at a stray.
local function popFrom(queue, settings, lanes, count, taken)
  local begun, first, isStray = {}, 1, false
  while #taken < 2 * count and lanes[first] and not isStray do
    local lane = lanes[first]
    local job, priority, turn = popJob(lane), priorityOf(lane.score), lane.score % STEP
    isStray = not job
    if job then
      first = first + 1
      taken[#taken + 1], taken[#taken + 2] = job[1], job[2]
      if not lane.hasBegun then begun[#begun + 1] = lane end
      local goesOn = beginIn(lane, settings)
      if settings.fair then serve(queue, priority, turn) end
      local stands = goesOn and replaceLane(queue, settings, lanes, first, lane)
      if settings.fair and not stands then call('ZADD', servedOf(queue, priority), whole(turn), lane.key) end
    end
  end
  putLanes(queue, settings, begun, lanes, first)
  return isStray
end

-- Takes up to count jobs as ZPOPMIN does, lane by lane; the second result tells that it stopped early.
local function popLanes(queue, settings, count)
  local taken, rounds = {}, 0
  endRests(queue, settings)
  offer(queue, '')
  while #taken < 2 * count and rounds < 10 do
    local lanes = takeLanes(queue, settings, count - #taken / 2)
    if #lanes == 0 then
      if settings.fair then forgetTurns(queue) end
      break
    end
    if popFrom(queue, settings, lanes, count, taken) then
      sortStrays(queue)
      rounds = rounds + 1
    end
  end
  return taken, rounds >= 10
end

-- Puts lanes back that do not stand, and whose one limit has just been freed.
local function standAgain(queue, keys)
  local order, heads = {}, {}
  for _, key in ipairs(keys) do
    local head = call('ZRANGE', laneOf(queue, key), 0, 0, 'WITHSCORES')
    if head[1] then
      local name = head[1] .. '\n' .. key
      order[#order + 1], order[#order + 2] = head[2], name
      heads[#heads + 1], heads[#heads + 2] = key, name
    end
  end
  if #order == 0 then return end
  call('ZADD', root .. ':lanes:' .. queue, unpack(order))
  call('HSET', root .. ':heads:' .. queue, unpack(heads))
end

-- Jobs of keys have ended, which may begin others now.
local function freeLanes(queue, keys)
  local settings = settingsOf(queue)
  if not settings.keyConcurrency then return end
  local single, busy = {}, root .. ':busy:' .. queue
  local counts = settings.keyConcurrency == 1 and not settings.fair and not settings.keyRateCount and call('HMGET', busy, unpack(keys)) or {}
  for position, key in ipairs(keys) do
    -- More than one run where the concurrency was larger before.
    if counts[position] == '1' then single[#single + 1] = key else leaveLane(queue, key) end
  end
  if #single == 0 then return end
  call('HDEL', busy, unpack(single))
  standAgain(queue, single)
end
`
