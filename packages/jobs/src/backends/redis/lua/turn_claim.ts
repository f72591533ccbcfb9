/** The second half of a turn: what the worker gets. Needs UPKEEP, REMOVAL, and the locals worker, HELD, STOP, maxCrashes, number of the script. */
export const TURN_CLAIM = `
-- How many jobs the queue as a whole may begin now.
local function allowance(queue, settings, count)
  if settings.concurrency then
    count = math.min(count, settings.concurrency - tonumber(call('HGET', root .. ':running', queue) or 0))
  end
  if settings.rateCount then
    local whole_at = math.max(now, tonumber(call('HGET', root .. ':pace', queue) or 0))
    -- A little more than nothing, so that sums of fractions do not cost a start.
    count = math.min(count, math.floor((now + settings.ratePer - whole_at) * settings.rateCount / settings.ratePer + 1e-6))
  end
  return math.max(0, count)
end

-- Counts starts against the queue's rate; gives the moment of the next one.
local function pace(queue, settings, count)
  local step = settings.ratePer / settings.rateCount
  local whole_at = math.max(now, tonumber(call('HGET', root .. ':pace', queue) or 0)) + count * step
  if count > 0 then call('HSET', root .. ':pace', queue, string.format('%.17g', whole_at)) end
  return math.ceil(whole_at + step - settings.ratePer - 1e-6)
end

-- Gives the worker jobs that have left their place: id and score of each.
local function hold(queue, popped)
  local ids, held = {}, {}
  for position = 1, #popped, 2 do ids[#ids + 1] = popped[position] end
  local bodies = call('HMGET', JOB, unpack(ids))
  local records = call('EXISTS', MORE) == 1 and call('HMGET', MORE, unpack(ids)) or nil
  local begun, fresh, last = ':' .. now .. ':1:', '1:' .. now .. ':0:', ':' .. number .. ':' .. queue
  for position, id in ipairs(ids) do
    local record = records and records[position]
    held[2 * position - 1] = id
    held[2 * position] = (record and string.match(record, '^%d+') + 1 .. begun or fresh) .. popped[2 * position] .. last
  end
  call('HSET', HELD, unpack(held))
  call('HINCRBY', root .. ':running', queue, #ids)
  return { queue, popped, bodies, records or 0 }
end

-- Takes up to count jobs from their places; also when limits let more begin, and whether it stopped early.
local function pop(queue, settings, count)
  local allowed, popped, stopped = allowance(queue, settings, count), {}, false
  if allowed > 0 and settings.lanes then
    popped, stopped = popLanes(queue, settings, allowed)
  elseif allowed > 0 then
    popped = call('ZPOPMIN', root .. ':available:' .. queue, allowed)
  end
  local begun, at = #popped / 2, nil
  if settings.rateCount then
    at = pace(queue, settings, begun)
    if begun < allowed or at <= now then at = nil end
  end
  local rested = settings.keyRateCount and call('ZRANGE', root .. ':resting:' .. queue, 0, 0, 'WITHSCORES')[2]
  return popped, sooner(at, tonumber(rested or nil)), stopped
end

-- Claims of one queue; also when something may become available there by itself.
local function claim(queue, count)
  local settings, isMore = settingsOf(queue), promote(queue, 500)
  if not settings.lanes and dissolveLanes(queue) then isMore = true end
  if call('SISMEMBER', root .. ':paused', queue) == 1 then return nil, nil end
  local popped, soonest, stopped = pop(queue, settings, count)
  if #popped < 2 * count then call('SREM', root .. ':awake', queue)
  elseif call('EXISTS', root .. ':available:' .. queue, root .. ':lanes:' .. queue) > 0 then wake(queue) end
  soonest = sooner(soonest, (isMore or stopped) and now or nextDue(queue))
  return #popped > 0 and hold(queue, popped) or nil, soonest
end

-- Gives jobs again that the worker holds and does not know of, because a reply was lost.
local function giveAgain(isUnknown)
  local again, bodies, held = {}, {}, call('HGETALL', HELD)
  for position = 1, #held, 2 do
    local id, attempt, startedAt, _, score, turn = held[position], heldOf(held[position + 1])
    if isUnknown(id, turn) then
      bodies[#bodies + 1] = call('HGET', JOB, id)
      for _, part in ipairs({ id, score, attempt, startedAt }) do again[#again + 1] = part end
    end
  end
  return #again > 0 and { '', again, bodies, 0 } or nil
end

local function forgotten(at)
  local believed = {}
  for position = at + 1, at + tonumber(ARGV[at]) do believed[ARGV[position]] = true end
  return giveAgain(function(id) return not believed[id] end)
end

local function repeatTurn()
  return { now, { giveAgain(function(_, turn) return turn == number end) }, {}, call('SMEMBERS', STOP), 0, {}, {} }
end

-- What the worker believes to hold, and does not.
local function lostOf(at)
  local lost = {}
  for position = at + 1, at + tonumber(ARGV[at]) do
    if call('HEXISTS', HELD, ARGV[position]) == 0 then lost[#lost + 1] = ARGV[position] end
  end
  return lost
end

local function takeTurn(at, refused, touched)
  local claims, buried, soonest = {}, {}, nil
  for queue, ended in pairs(touched) do
    countAttempts(queue, 'c', ended.completed)
    countAttempts(queue, 'f', ended.failed)
    trim(queue, 'completed', math.max(200, 2 * ended.completed))
  end
  if rescue(500, maxCrashes, buried) then soonest = now end
  local wants = tonumber(ARGV[at])
  local believed = at + 1 + 2 * wants
  if ARGV[believed] ~= '-1' then claims[1] = forgotten(believed) end
  for position = at + 1, at + 2 * wants, 2 do
    local claimed, next = claim(ARGV[position], tonumber(ARGV[position + 1]))
    claims[#claims + 1] = claimed
    soonest = sooner(soonest, next)
  end
  for queue, ended in pairs(touched) do
    -- An end may have made room for somebody else's worker.
    local settings = settingsOf(queue)
    if settings.concurrency or settings.keyConcurrency then wake(queue) end
  end
  local stops = call('SMEMBERS', STOP)
  return { now, claims, refused, stops, soonest and math.max(0, math.ceil(soonest - now)) or -1, buried, lostOf(believed) }
end
`
